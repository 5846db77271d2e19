import { createEngine } from "../src/engine/create.ts";
import { rowsOf } from "../src/engine/rows.ts";
import { sharedStateBytes, sharedStateOver } from "../src/engine/shared-state.ts";
import { cork } from "../src/net/cork.ts";
import { TICK_MS, TimerWheel } from "../src/net/timer-wheel.ts";
import type { Log } from "../src/observe/log.ts";
import { HealthLoop } from "../src/probe/health-loop.ts";
import { type Actors, placeActors } from "./actors/place.ts";
import { checkAtRest } from "./checks/at-rest.ts";
import { checkCounters } from "./checks/counters.ts";
import { watchLimits } from "./checks/limits.ts";
import { watch } from "./checks/watch.ts";
import { Dice } from "./dice.ts";
import { Ledger } from "./ledger.ts";
import { SimNetwork } from "./network/network.ts";
import { drawWeather, NO_FAULTS } from "./network/weather.ts";
import { drawSetting, type Setting } from "./setting.ts";
import { Stage } from "./stage.ts";
import { inSimulatedTime } from "./time.ts";
import { World } from "./world.ts";

/** What came of a run. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly simulatedMs: number;
  readonly events: number;
  readonly setting: Setting;
  /** Requests or connections that clients meant to make, by what became of them. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** More than all deadlines and all waits of a run together: what goes on longer goes on for ever. */
const FOR_EVER_MS = 1_200_000;

/**
 * Runs the whole data path once, as a seed has it. Equal seeds give equal runs, to the last byte.
 * @param tell who is told of each step
 */
export function run(seed: number, tell: ((line: string) => void) | null = null): Outcome {
  const dice = new Dice(seed);
  const world = new World(dice.fork(), tell);
  return inSimulatedTime(world, () => play(seed, dice, world));
}

function play(seed: number, dice: Dice, world: World): Outcome {
  const setting = drawSetting(dice.fork());
  const ledger = new Ledger(world);
  const weather = dice.fork();
  const { linkFaults } = setting;
  // A client that cannot reach Weir is none.
  const toWeir = { ...linkFaults, refused: 0, unreachable: 0, never: 0 };
  const network = new SimNetwork(world, (address) =>
    drawWeather(weather, address === setting.address ? toWeir : setting.theme === "foul" ? linkFaults : NO_FAULTS),
  );
  world.note(() => describe(seed, setting));
  const { plan } = setting;
  const shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(plan, 1)), plan, 1);
  const log = logTo(world);
  const health = keepHealth(world, network, setting, shared, dice.fork(), log);
  const engine = createEngine({ plan, worker: 0, ...shared, log, clock: world.clock, random: dice.fork(), network });
  engine.listen(0);
  const actors: Actors = placeActors(new Stage(world, network, ledger, setting), dice.fork());
  const rows = rowsOf(plan, 1);
  const looks = [watch(world, ledger), watchLimits(world, plan, shared.counters, rows)];
  world.afterEach = () => {
    for (const look of looks) look();
  };
  if (setting.closesAfterMs >= 0) {
    world.after(setting.closesAfterMs, () => {
      world.note(() => "the engine is closed");
      engine.close();
      cork.flush();
    });
  }
  world.run(FOR_EVER_MS);
  health.close();
  checkAtRest({ world, network, ledger, setting, engine, actors, counters: shared.counters });
  checkCounters({ world, network, ledger, setting, counters: shared.counters, rows });
  engine.close();
  // What a violated run has left there is not the next run's.
  cork.used = 0;
  return {
    seed,
    violations: world.violations,
    simulatedMs: world.now,
    events: world.events,
    setting,
    outcomes: actors.outcomes(),
  };
}

function keepHealth(
  world: World,
  network: SimNetwork,
  { plan }: Setting,
  { counters, words }: ReturnType<typeof sharedStateOver>,
  random: Dice,
  log: Log,
): { close(): void } {
  const wheel = new TimerWheel(world.clock, () => {});
  const { dial } = network;
  const loop = new HealthLoop({ dial, wheel, counters, words, clock: world.clock, random, log, zone: plan.zone });
  const rows = rowsOf(plan, 1).backends;
  loop.configure(
    plan.pools.map(({ name, health, backends }, pool) => ({ name, health, backends, rows: rows[pool] ?? [] })),
  );
  const stop = world.every(
    TICK_MS,
    () => {
      wheel.advance();
      loop.tick();
      cork.flush();
    },
    true,
  );
  return {
    close() {
      stop();
      loop.close();
    },
  };
}

/** Weir's own log becomes part of the run's; a defect that Weir caught is still one. */
function logTo(world: World): Log {
  const line =
    (level: string) =>
    (event: string, fields: object = {}): void => {
      world.note(() => `weir ${level}: ${event} ${JSON.stringify(fields)}`);
      if (event === "defect") world.violate(`weir logs an error: ${event} ${JSON.stringify(fields)}`);
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

function describe(
  seed: number,
  { theme, mode, plan, clients, clientFaults, backendFaults, linkFaults }: Setting,
): string {
  const set = (faults: object): string =>
    Object.entries(faults)
      .filter(([, permille]) => permille > 0)
      .map(([name, permille]) => `${name} ${permille}‰`)
      .join(", ");
  const { policy, backends } = plan.pools[0]!;
  const faults = [clientFaults, backendFaults, linkFaults].map(set).filter((text) => text !== "");
  return `seed ${seed}: ${theme}, ${mode}, ${clients} clients, ${backends.length} backends, ${policy.name}; ${faults.join("; ")}`;
}
