import { createEngine } from "../src/engine/create.ts";
import type { Engine, Prepared } from "../src/engine/engine.ts";
import type { Placement } from "../src/engine/placement.ts";
import { Placements } from "../src/engine/placements.ts";
import { sharedStateBytes, sharedStateOver, type SharedState } from "../src/engine/shared-state.ts";
import { cork } from "../src/net/cork.ts";
import type { Log } from "../src/observe/log.ts";
import type { Plan } from "../src/plan.ts";
import type { Dice } from "./dice.ts";
import { type KeptHealth, keepHealth } from "./health.ts";
import type { SimNetwork } from "./network/network.ts";
import { sharing } from "./same.ts";
import type { World } from "./world.ts";

/** Rows and pools that there is room for: more than the plans of a run have. */
const ROOM = { rows: 32, cursors: 2 };
/** Within so many milliseconds a worker has prepared a plan, and within so many it hears that it is in force. */
const PREPARES_MS = 200;
const COMMITS_MS = 20;

/** Weir in a world: its workers, which share counters and words, and what a supervisor does for them. */
export class Weir {
  readonly shared: SharedState;
  readonly workers: readonly Engine[];
  readonly #world: World;
  readonly #dice: Dice;
  readonly #placements: Placements;
  readonly #health: KeptHealth;
  /** In force. */
  plan: Plan;
  placement: Placement;
  /** Row of every backend there was so far, by its pool and its own name. */
  readonly rows: Map<string, number> = new Map();
  /** Told when a plan is about to be put in force, and when all workers have gone over to it. */
  changing: (plan: Plan) => void = () => {};
  changed: (plan: Plan) => void = () => {};
  /** Whether it drains, or is closed. */
  over = false;

  /** Puts Weir into a world, and lets it accept. */
  constructor(world: World, network: SimNetwork, plan: Plan, dice: Dice) {
    const shape = { workers: plan.workers, ...ROOM };
    const shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(shape)), shape);
    const { clock } = world;
    this.#world = world;
    this.#dice = dice;
    this.shared = shared;
    this.plan = plan;
    this.#placements = new Placements({ shape, shared, clock, reserve() {} });
    this.placement = this.#placements.place(plan);
    this.#placements.commit(0);
    this.#remember();
    const log = logTo(world);
    this.#health = keepHealth(world, network, shared, dice.fork(), log);
    this.#health.configure(plan, this.placement);
    const { placement } = this;
    this.workers = Array.from({ length: plan.workers }, (_, worker) =>
      createEngine({ plan, placement, worker, ...shared, log, clock, random: dice.fork(), network }),
    );
    for (const engine of this.workers) for (const index of plan.listeners.keys()) engine.listen(index);
  }

  /**
   * Puts another plan in force, as a supervisor does it: places it, has all workers prepare it, publishes its health, and has them
   * commit it, each a little later than the one before.
   * @param abandoned whether it is given up when all have prepared it
   */
  async reload(next: Plan, abandoned: boolean): Promise<void> {
    if (this.over) return;
    const plan = sharing(this.plan, next);
    const placement = this.#placements.place(plan);
    const prepared: Prepared[] = [];
    for (const engine of this.workers) {
      await this.#wait(PREPARES_MS);
      prepared.push(await engine.prepare(plan, placement));
    }
    if (abandoned || this.over) {
      for (const each of prepared) each.abandon();
      this.#placements.abandon();
      return;
    }
    this.#world.note(
      () => `a plan is in force: ${plan.pools.map(({ backends }) => backends.map(({ id }) => id)).join("; ")}`,
    );
    this.plan = plan;
    this.placement = placement;
    this.#remember();
    this.changing(plan);
    this.#health.configure(plan, placement);
    for (const each of prepared) {
      if (!this.over) each.commit(() => "own");
      cork.flush();
      await this.#wait(COMMITS_MS);
    }
    this.#health.withdraw();
    this.changed(plan);
    this.#placements.commit(Math.max(plan.drain.requestsMs, plan.drain.tunnelsMs));
  }

  /** Drains all workers. @returns how many connections had to be closed */
  async drain(timeoutMs: number): Promise<number> {
    this.over = true;
    const left = await Promise.all(this.workers.map((engine) => engine.drain(timeoutMs)));
    this.close();
    return left.reduce((sum, each) => sum + each, 0);
  }

  /** Closes all at once. */
  close(): void {
    this.over = true;
    this.#health.close();
    for (const engine of this.workers) engine.close();
    cork.flush();
  }

  #remember(): void {
    for (const [index, { name, backends }] of this.plan.pools.entries())
      for (const [at, { id }] of backends.entries())
        this.rows.set(`${name} ${id}`, this.placement.backends[index]?.[at] ?? 0);
  }

  #wait(mostMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#world.after(this.#dice.size(0, mostMs), resolve);
    return promise;
  }
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
