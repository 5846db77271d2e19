import { describe, expect, test } from "bun:test";
import { compile } from "../src/config/compile/compile.ts";
import { configSchema } from "../src/config/schema/schema.ts";
import { createEngine } from "../src/engine/create.ts";
import type { Engine } from "../src/engine/engine.ts";
import { placementOf } from "../src/engine/placement.ts";
import { sharedStateBytes, sharedStateOver } from "../src/engine/shared-state.ts";
import { formatAddress } from "../src/address.ts";
import type { Receiver } from "../src/net/connection.ts";
import { cork } from "../src/net/cork.ts";
import { TICK_MS } from "../src/net/timer-wheel.ts";
import { Dice } from "./dice.ts";
import { SimNetwork } from "./network/network.ts";
import { CALM } from "./network/weather.ts";
import { inSimulatedTime } from "./time.ts";
import { World } from "./world.ts";

const CLIENTS = 100_000;
/** They come evenly within so long: 1,000 in a tick. */
const OPENING_MS = 5000;
const HEAD_MS = 10_000;
const FOR_EVER_MS = 1_200_000;

const NOBODY: Receiver = { opened() {}, refused() {}, received() {}, drained() {}, ended() {}, closed() {} };

interface Idle {
  readonly world: World;
  readonly network: SimNetwork;
  readonly engine: Engine;
  readonly inFlight: () => number;
}

/** Weir with as many connections as there are clients, of which none says anything. */
function open(mode: "http" | "tcp"): Idle {
  const world = new World(new Dice(1), null);
  return inSimulatedTime(world, () => {
    const network = new SimNetwork(world, () => ({ there: CALM, back: CALM, dialling: "opens" }));
    const plan = compile(
      configSchema.parse({
        admin: "off",
        listeners: { web: { address: "10.0.0.1:80", mode, pool: "app" } },
        pools: { app: { backends: ["10.0.1.1:80"] } },
        timeouts: { head: HEAD_MS, idle: HEAD_MS },
        limits: { connectionsPerAddress: CLIENTS },
      }),
      1,
    );
    const placement = placementOf(plan, 1);
    const shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(placement.shape)), placement.shape);
    const log = { info() {}, warn() {}, error() {} };
    const engine = createEngine({
      plan,
      placement,
      worker: 0,
      ...shared,
      log,
      clock: world.clock,
      random: new Dice(2),
      network,
    });
    engine.listen(0);
    network.serve("10.0.1.1:80", () => NOBODY);
    const address = formatAddress(plan.listeners[0]!.address);
    for (let i = 0; i < CLIENTS; i++)
      world.after((i * OPENING_MS) / CLIENTS, () => network.reach(address, `10.1.${i % 250}.1`, { ...NOBODY }));
    world.pass(OPENING_MS + 100);
    const inFlight = (): number =>
      Array.from({ length: shared.counters.shape.rows }, (_, row) => shared.counters.inFlight(row)).reduce(
        (sum, each) => sum + each,
        0,
      );
    return { world, network, engine, inFlight };
  });
}

describe(`${CLIENTS} idle connections`, () => {
  test("are left alone until their time is over, and only those whose time it is are looked at in a tick: mode http", () => {
    const { world, network, engine, inFlight } = open("http");
    inSimulatedTime(world, () => {
      expect(engine.connections()).toEqual({ clients: CLIENTS, backends: 0 });
      const { events } = world;
      world.pass(HEAD_MS - OPENING_MS - 200);
      // The wheel turns, and nothing else happens.
      expect(world.events - events).toBeLessThanOrEqual((HEAD_MS - OPENING_MS) / TICK_MS + 2);
      expect(engine.connections().clients).toBe(CLIENTS);
      world.run(FOR_EVER_MS);
      expect(world.violations).toEqual([]);
      const inTick = new Map<number, number>();
      for (const { overAt } of network.ends) {
        const tick = Math.floor(overAt / TICK_MS);
        inTick.set(tick, (inTick.get(tick) ?? 0) + 1);
      }
      expect(Math.max(...inTick.values())).toBeLessThanOrEqual((2 * CLIENTS * TICK_MS) / OPENING_MS);
      // Nothing is left: no connection, and no timer, or the world would have gone on.
      expect([engine.connections(), inFlight()]).toEqual([{ clients: 0, backends: 0 }, 0]);
      expect(network.ends.filter(({ over }) => !over)).toEqual([]);
      expect(network.lastTick).toBeLessThan(OPENING_MS + HEAD_MS + 5 * TICK_MS);
      cork.flush();
    });
  });

  for (const mode of ["http", "tcp"] as const)
    test(`are closed at once with the engine, and nothing is left: mode ${mode}`, () => {
      const { world, network, engine, inFlight } = open(mode);
      inSimulatedTime(world, () => {
        expect(engine.connections()).toEqual({ clients: CLIENTS, backends: mode === "tcp" ? CLIENTS : 0 });
        engine.close();
        cork.flush();
        expect([engine.connections(), inFlight()]).toEqual([{ clients: 0, backends: 0 }, 0]);
        expect(network.ends.filter(({ over }) => !over)).toEqual([]);
        world.run(FOR_EVER_MS);
        expect(world.violations).toEqual([]);
        expect(network.lastTick).toBeLessThanOrEqual(OPENING_MS + 200);
      });
    });
});
