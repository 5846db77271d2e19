import type { Clock } from "../../clock.ts";
import { type Change, diffed } from "../../config/diff.ts";
import type { Placement } from "../../engine/placement.ts";
import type { Placements } from "../../engine/placements.ts";
import type { Steps } from "../../steps.ts";
import { WeirError } from "../../errors.ts";
import type { Log } from "../../observe/log.ts";
import type { Plan } from "../../plan.ts";
import { inBackground, leisurely } from "../leisurely.ts";
import { withSecrets } from "../secrets/affinity-secret.ts";
import type { Applied } from "./apply-report.ts";
import { alone, type Companion, type CompanionChange } from "./companion.ts";
import type { KeptHealth } from "./health.ts";
import type { ManifestedPlan } from "../parts/plan-store.ts";
import { longestDrainMs, type PlanInForce } from "./plan-in-force.ts";
import { prepareAll } from "./rollout.ts";
import type { Seats } from "./seats.ts";
import { generatedSecret, withFixed } from "./settled-plan.ts";
import type { HeldSockets, SocketsChange } from "./sockets.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** What changes are made with. */
export interface ChangesOptions {
  readonly inForce: PlanInForce;
  readonly sockets: HeldSockets;
  readonly placements: Placements;
  readonly seats: Seats;
  readonly health: KeptHealth;
  /** The generated secret of affinity; `null` where no pool has needed one yet. */
  readonly secret: string | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** More changes than these are counted, not told one by one. */
const MOST_TOLD = 50;

/**
 * Brings plans into force: what is new is bound, every worker makes the plan ready, what holds of health is published, every worker
 * follows. Until all are ready nothing has changed anywhere.
 */
export class Changes {
  readonly #options: ChangesOptions;
  /** Goes along with every change. */
  companion: Companion = alone;
  #secret: string | null;
  #bringing: Promise<unknown> = Promise.resolve();
  #forgetting = false;

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#secret = options.secret;
  }

  /** Fulfilled when no worker is in the middle of a change. */
  async settled(): Promise<void> {
    await this.#bringing.catch(() => {});
  }

  /**
   * To be called for one plan after another.
   * @param dryRun only says what would change, having tried its listeners
   * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, CONFIG_NAME_UNRESOLVED, PLAN_TOO_LARGE, PLAN_NOT_TAKEN, STATE_UNUSABLE,
   * SECRET_UNSAFE, EXPLAIN_TOKEN_UNSAFE, NOT_RUNNING, what the companion throws; all is as it was then
   */
  async apply(asked: Plan, dryRun: boolean): Promise<Applied> {
    const { inForce, clock } = this.#options;
    const began = clock.now();
    const { plan: wanted, needsUpgrade } = withFixed(inForce.plan, asked);
    let sockets: SocketsChange | null = null;
    let followed = false;
    let along: CompanionChange | null = null;
    try {
      sockets = await this.#options.sockets.change(withSecrets(wanted, process.env, this.#secret));
      along = await this.companion.prepare(sockets.plan);
      const { next, changes } = await leisurely(this.#compared(sockets.plan), clock);
      if (!dryRun && next !== inForce.parted) {
        const bringing = this.#bring(next, sockets);
        this.#bringing = bringing;
        await bringing;
        followed = true;
        this.#secret ??= generatedSecret(asked, next.plan);
      }
      if (!dryRun) {
        along.commit();
        along = null;
      }
      const tookMs = Math.round((clock.now() - began) * 10) / 10;
      const applied: Applied = { ok: true, generation: inForce.generation, changes, needsUpgrade, tookMs };
      if (!dryRun) this.#tell(applied);
      return applied;
    } finally {
      along?.abandon();
      if (!followed) sockets?.abandon();
      inForce.tidy();
      void this.#forget();
    }
  }

  async #bring(next: ManifestedPlan, sockets: SocketsChange): Promise<void> {
    const { inForce, placements, seats, health, clock, log } = this.#options;
    const placement = await leisurely(this.#placed(next.plan), clock);
    let processes: readonly WorkerProcess[];
    try {
      processes = await prepareAll(seats, { next, placement, sockets });
      sockets.commit();
    } catch (error) {
      placements.abandon();
      throw error;
    }
    // From here on there is no way back: a worker that cannot follow is replaced by one that begins with the new plan.
    const drainMs = Math.max(longestDrainMs(inForce.plan), longestDrainMs(next.plan));
    inForce.follow(next, placement);
    health.configure(next.plan, placement);
    placements.commit(drainMs);
    const outcomes = await Promise.allSettled(processes.map((each) => each.commit()));
    health.withdraw();
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") continue;
      const reason = outcome.reason instanceof WeirError ? outcome.reason.detail : String(outcome.reason);
      log.error("worker did not follow", { pid: processes[i]?.pid, generation: inForce.generation, reason });
      processes[i]?.kill();
    }
  }

  *#compared(plan: Plan): Steps<{ readonly next: ManifestedPlan; readonly changes: readonly Change[] }> {
    const { inForce } = this.#options;
    const next = yield* inForce.take(plan);
    yield;
    const changes = yield* diffed(inForce.plan, next.plan);
    return { next, changes };
  }

  *#placed(plan: Plan): Steps<Placement> {
    const placement = this.#options.placements.place(plan);
    yield;
    return placement;
  }

  /** Forgets what no plan has any more, here and in workers, while nothing else is to be done. */
  async #forget(): Promise<void> {
    if (this.#forgetting) return;
    this.#forgetting = true;
    await inBackground(this.#forgotten(), this.#options.clock);
    this.#forgetting = false;
  }

  *#forgotten(): Steps<void> {
    const { inForce, seats } = this.#options;
    for (;;) {
      // Asked for anew: what is to be forgotten may be more by then.
      const { done } = inForce.swept().next();
      const gone = inForce.forgotten();
      seats.forget(gone);
      if (done === true && gone.length === 0) return;
      yield;
    }
  }

  /** One line for all, and one for each change of which there are few. */
  #tell({ generation, changes, needsUpgrade, tookMs }: Applied): void {
    const { log } = this.#options;
    if (changes.length <= MOST_TOLD)
      for (const { kind, what, name, detail } of changes)
        log.info("configuration changed", { generation, kind, what, name, detail });
    if (needsUpgrade.length > 0) log.warn("upgrade needed", { keys: needsUpgrade.join(", ") });
    const counts = { added: 0, changed: 0, removed: 0 };
    for (const { kind } of changes) counts[kind] += 1;
    log.info("configuration in force", { generation, ...counts, tookMs });
  }
}
