import { drainMicrotasks } from "bun:jsc";
import { cork } from "../src/net/cork.ts";
import { type Actors, placeActors } from "./actors/place.ts";
import { checkAtRest, type Drained } from "./checks/at-rest.ts";
import { checkCounters } from "./checks/counters.ts";
import { watchCrowd, watchLimits } from "./checks/limits.ts";
import { watchLeaving } from "./checks/leaving.ts";
import { watchProbes } from "./checks/probes.ts";
import { watch } from "./checks/watch.ts";
import { Dice } from "./dice.ts";
import { Ledger } from "./ledger.ts";
import { SimNetwork } from "./network/network.ts";
import { drawWeather, NO_FAULTS } from "./network/weather.ts";
import { drawSetting, type Setting } from "./setting.ts";
import { Stage } from "./stage.ts";
import { inSimulatedTime } from "./time.ts";
import { Weir } from "./weir.ts";
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
  const weir = new Weir(world, network, setting.plan, dice.fork());
  const actors: Actors = placeActors(new Stage(world, network, ledger, setting), dice.fork());
  const looks = [watch(world, ledger), watchLimits(world, weir), watchCrowd(world, network, weir)];
  world.afterEach = () => {
    // What waits for a promise goes on before anything else happens.
    drainMicrotasks();
    for (const look of looks) look();
  };
  watchProbes(world, setting, weir);
  watchLeaving(world, network, ledger, weir);
  const drained = playCourse(world, setting, weir);
  world.run(FOR_EVER_MS);
  checkAtRest({ world, network, ledger, setting, weir, actors, drained });
  checkCounters({ world, network, ledger, setting, weir });
  weir.close();
  // What is still being dialled opens, and is closed then.
  world.pass(1000);
  const probes = network.probes.filter(({ over }) => !over).length;
  if (probes > 0) world.violate(`${probes} probes are left`);
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

/** What is done to Weir while it runs. @returns what is known of its drain */
function playCourse(world: World, { turns, ends }: Setting, weir: Weir): Drained {
  const drained: Drained = { begun: Number.POSITIVE_INFINITY, left: 0, over: true };
  const failed = (error: unknown): void => {
    world.violate(
      `a change of the plan fails: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  };
  let last: Promise<void> = Promise.resolve();
  for (const { atMs, plan, abandoned } of turns)
    // One at a time: the next one waits for the one before.
    world.after(atMs, () => void (last = last.then(() => weir.reload(plan, abandoned)).catch(failed)));
  if (ends === null) return drained;
  const { atMs, drainMs } = ends;
  world.after(atMs, () => {
    world.note(() => (drainMs === null ? "Weir is closed" : `Weir drains for ${drainMs} ms`));
    if (drainMs === null) return weir.close();
    drained.begun = world.now;
    drained.over = false;
    void weir.drain(drainMs).then((left) => {
      world.note(() => `Weir is drained, ${left} left`);
      drained.left = left;
      drained.over = true;
    }, failed);
  });
  return drained;
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
