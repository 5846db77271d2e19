import { systemClock } from "../../clock.ts";
import { type Change, diffed } from "../../config/diff.ts";
import { formatAddress } from "../../address.ts";
import { createEngine } from "../../engine/create.ts";
import type { Engine } from "../../engine/engine.ts";
import { capacityFor, type Placement } from "../../engine/placement.ts";
import { Placements } from "../../engine/placements.ts";
import { atOnce, type Steps } from "../../steps.ts";
import { inBackground, leisurely } from "../leisurely.ts";
import { type SharedState, sharedStateBytes, sharedStateOver } from "../../engine/shared-state.ts";
import { WeirError } from "../../errors.ts";
import { descriptorLimit } from "../../net/descriptors.ts";
import { libc } from "../../net/libc.ts";
import type { Log } from "../../observe/log.ts";
import type { Plan } from "../../plan.ts";
import { systemRandom } from "../../random.ts";
import { withSecrets } from "../secrets/affinity-secret.ts";
import { keepHealth, type KeptHealth } from "../supervise/health.ts";
import { PlanShelf } from "../parts/plan-shelf.ts";
import type { ManifestedPlan } from "../parts/plan-store.ts";
import { type HeldSockets, holdSockets } from "../supervise/sockets.ts";
import { generatedSecret, withFixed } from "../supervise/settled-plan.ts";
import { together } from "../worker/together.ts";

/** Weir in this process: what a supervisor and one worker do elsewhere, side by side. */
export class EmbeddedWeir {
  readonly #log: Log;
  readonly #held: HeldSockets;
  readonly #engine: Engine;
  readonly #placements: Placements;
  readonly #health: KeptHealth;
  readonly #shelf = new PlanShelf();
  /** Of what plans before have left. */
  #forgetting: Steps<void> = this.#shelf.swept();
  #parted: ManifestedPlan;
  #placement: Placement;
  /** The generated one, where a pool needs it. */
  #secret: string | null;
  /** One change after another. */
  #changing: Promise<unknown> = Promise.resolve();
  #closing: Promise<number> | null = null;

  private constructor(asked: Plan, held: HeldSockets, log: Log) {
    this.#log = log;
    this.#held = held;
    this.#parted = atOnce(this.#shelf.take(held.plan, null));
    this.#shelf.follow();
    const { plan } = this.#parted;
    this.#secret = generatedSecret(asked, plan);
    const shape = capacityFor(plan, 1);
    const shared: SharedState = sharedStateOver(new ArrayBuffer(sharedStateBytes(shape)), shape);
    this.#placements = new Placements({ shape, shared, clock: systemClock, reserve() {} });
    const placement = this.#placements.place(plan);
    this.#placement = placement;
    this.#placements.commit(0);
    const parts = { plan, placement, worker: 0, ...shared, log, clock: systemClock, random: systemRandom() };
    this.#engine = createEngine({ ...parts, descriptors: descriptorLimit() });
    try {
      const inherited = held.inheritedBy(0);
      for (const i of plan.listeners.keys()) {
        const from = inherited[i];
        this.#engine.listen(i, from?.kind === "socket" ? ownCopy(from.fd) : undefined);
      }
    } catch (error) {
      this.#engine.close();
      throw error;
    }
    this.#health = keepHealth({ plan, placement, shared, clock: systemClock, log });
    shared.words.onAlarm = together(() => this.#health.alarmed());
    this.#tellListeners([]);
  }

  /** @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, CONFIG_NAME_UNRESOLVED; STATE_UNUSABLE, SECRET_UNSAFE */
  static async start(plan: Plan, log: Log): Promise<EmbeddedWeir> {
    const held = await holdSockets({ ...withSecrets(plan), workers: 1 }, 1);
    try {
      return new EmbeddedWeir(plan, held, log);
    } catch (error) {
      held.close();
      throw error;
    }
  }

  /** In force, with the addresses that were bound. */
  get plan(): Plan {
    return this.#parted.plan;
  }

  /**
   * Puts another plan in force, or none of it, after those that were asked for before.
   * @param asked which may still be read
   * @returns what differs
   */
  change(asked: Promise<Plan>): Promise<readonly Change[]> {
    asked.catch(() => {}); // it is heard of when its turn has come
    const mine = this.#changing.then(async () => this.#change(await asked));
    this.#changing = mine.catch(() => {});
    return mine;
  }

  /** See `Weir.close`. */
  close(): Promise<number> {
    return (this.#closing ??= this.#changing.then(() => this.#close()));
  }

  async #change(asked: Plan): Promise<readonly Change[]> {
    if (this.#closing !== null) throw new WeirError("NOT_RUNNING", "Weir is ending");
    const before = this.plan;
    const secret = withSecrets(withFixed(before, asked).plan, process.env, this.#secret);
    const sockets = await this.#held.change(secret);
    let placement: Placement | null = null;
    try {
      const parted = await leisurely(this.#shelf.take(sockets.plan, this.#parted), systemClock);
      const next = parted.plan;
      const changes = await leisurely(diffed(before, next), systemClock);
      placement = this.#placements.place(next);
      const prepared = await this.#engine.prepare(next, placement);
      this.#health.configure(next, placement);
      prepared.commit((position) => {
        const { fd } = sockets.sentTo(0, position);
        return fd === null ? "own" : ownCopy(fd);
      });
      this.#health.withdraw();
      sockets.commit();
      this.#placements.commit(Math.max(longestDrainMs(before), longestDrainMs(next)));
      this.#shelf.follow();
      this.#parted = parted;
      this.#placement = placement;
      this.#secret ??= generatedSecret(asked, next);
      this.#tellListeners(before.listeners);
      this.#log.info("configuration in force", { changes: changes.length });
      return changes;
    } catch (error) {
      if (placement !== null) {
        this.#placements.abandon();
        this.#health.configure(before, this.#placement);
      }
      sockets.abandon();
      throw error;
    } finally {
      this.#shelf.tidy(this.#parted);
      this.#forgetting.return();
      this.#forgetting = this.#shelf.swept();
      void inBackground(this.#forgetting, systemClock);
    }
  }

  async #close(): Promise<number> {
    this.#forgetting.return(); // the program would go on for as long as it takes
    const drained = this.#engine.drain(this.plan.shutdownMs);
    this.#held.close();
    const closed = await drained;
    this.#health.close();
    return closed;
  }

  #tellListeners(before: Plan["listeners"]): void {
    for (const { name, address, mode } of this.plan.listeners) {
      const text = formatAddress(address);
      const known = before.some((each) => each.name === name && formatAddress(each.address) === text);
      if (!known) this.#log.info("listener bound", { listener: name, address: text, mode });
    }
  }
}

/** The engine closes the descriptors that it is given; those that are held here stay. */
function ownCopy(fd: number): number {
  const copy = libc()?.duplicate(fd);
  if (copy?.ok === true) return copy.value;
  throw new WeirError("LISTEN_FAILED", "there is no file descriptor for a listening socket");
}

function longestDrainMs({ drain: { requestsMs, tunnelsMs } }: Plan): number {
  return requestsMs === 0 || tunnelsMs === 0 ? Number.POSITIVE_INFINITY : Math.max(requestsMs, tunnelsMs);
}
