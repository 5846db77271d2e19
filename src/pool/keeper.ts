import type { Published } from "../observe/health-words.ts";
import type { Random } from "../random.ts";
import { type Advice, NO_ADVICE } from "./advice.ts";
import { findOutliers, pardon, release } from "./ejection.ts";
import { ejectSuspects, type Suspect } from "./ejector.ts";
import { type Eligible, eligible, type Standing, takesWork } from "./eligibility.ts";
import { type HealthEvent, HealthEvents } from "./health-events.ts";
import { memoryOf, type PoolMemory, recalled } from "./health-memory.ts";
import type { HealthPlan, BackendFacts, PassivePlan } from "../health-plan.ts";
import {
  type BackendHealth,
  newBackendHealth,
  noteWorking,
  pinnedUntil,
  standingOf,
  stateOf,
} from "./backend-health.ts";
import { probeKey } from "./probe-key.ts";
import { afterProbe, isUp, nextProbeMs, type ProbeOutcome, startingAs } from "./probe-state.ts";
import { publication } from "./publication.ts";
import { nextRampStep } from "./slow-start.ts";
import { SuccessWindow } from "./success-window.ts";

/** What the traffic tells, by the position of a backend in its pool, over all workers and since its row began. */
export interface Evidence {
  /** See `HealthWords.strikes` and `notices`. */
  strikes(index: number): number;
  notices(index: number): number;
  /** See `attemptsOf` and `failuresOf`. Asked for once in a window. */
  attempts(index: number): number;
  failures(index: number): number;
}

/** What a look has brought. */
export interface Look {
  /** What holds now, `null` where it is what held before. */
  readonly published: Published | null;
  readonly events: readonly HealthEvent[];
}

/** How long a response that asked for it keeps its backend draining: without work it cannot take it back. */
const NOTICE_MS = 60_000;

/**
 * Keeps the health of one pool: what probes, traffic, operators and the backends themselves say, brought together into
 * effective weights. What is known belongs to a backend's identity and survives every change of the pool.
 *
 * Decides, and does nothing else: who drives it gives it outcomes of probes as they come (O(1)), and has it look when
 * `nextLook` says so or the alarm was raised (O(n)). However much happens between two looks, it is one change.
 * Times in milliseconds of a clock that does not go back.
 */
export class HealthKeeper {
  readonly #random: Random;
  #zone: string | null;
  readonly #events: HealthEvents;
  #plan: HealthPlan | null = null;
  #members: readonly BackendHealth[] = [];
  #byId: ReadonlyMap<string, BackendHealth> = new Map();
  #window: SuccessWindow | null = null;
  /** Whether something has changed since the last decision. */
  #changed = false;
  #next = Infinity;
  #published: Published | null = null;
  #eligible: Eligible | null = null;
  /** What is known from before the first plan. */
  #recall: { readonly memory: PoolMemory; readonly laterMs: number } | null = null;

  /** @param zone the zone Weir is in; `null` for no preference */
  constructor(pool: string, zone: string | null, random: Random) {
    this.#random = random;
    this.#zone = zone;
    this.#events = new HealthEvents(pool);
  }

  /**
   * Goes on with what another process knew of the pool. To be called before it is said what the pool is.
   * @param laterMs how much later it is by this clock than by that of the other process
   */
  recall(memory: PoolMemory, laterMs: number): void {
    this.#recall = { memory, laterMs };
  }

  /** What is known, for another process. O(n). */
  get memory(): PoolMemory {
    const probe = this.#plan?.probe ?? null;
    const backends = Object.fromEntries(this.#members.map((member) => [member.plan.id, memoryOf(member)]));
    return { asks: probe === null ? null : probeKey(probe), backends };
  }

  /**
   * Says what the pool is, at first and at each change of it. The backends of the first time are those of Weir's own start and
   * have no slow start. To be followed by a look.
   */
  configure(
    plan: HealthPlan,
    members: readonly BackendFacts[],
    evidence: Evidence,
    now: number,
    zone: string | null = this.#zone,
  ): void {
    this.#zone = zone;
    const before = this.#plan;
    const recall = this.#recall;
    this.#recall = null;
    const asked = before?.probe != null ? probeKey(before.probe) : (recall?.memory.asks ?? null);
    const asksAnew = asked !== null && plan.probe !== null && asked !== probeKey(plan.probe);
    this.#members = members.map((member, index) => {
      const counts = { strikes: evidence.strikes(index), notices: evidence.notices(index) };
      const memory = recall?.memory.backends[member.id];
      const known =
        recall === null || memory === undefined
          ? this.#byId.get(member.id)
          : recalled(member, memory, recall.laterMs, counts);
      if (known === undefined)
        return newBackendHealth(member, plan.probe?.start ?? "up", counts, before !== null || recall !== null);
      known.plan = member;
      known.counts = counts;
      // Without probes there is nobody to take back what they said; another question leaves the answer open.
      if (plan.probe === null) {
        known.probe = startingAs("up");
        known.advice = NO_ADVICE;
      } else if (asksAnew) known.probe = startingAs(isUp(known.probe) ? "up" : "down");
      if (plan.passive === null) known.ejection = pardon(known.ejection, now);
      return known;
    });
    this.#byId = new Map(this.#members.map((member) => [member.plan.id, member]));
    this.#plan = plan;
    const successRate = plan.passive?.successRate ?? null;
    this.#window = successRate === null ? null : new SuccessWindow(successRate, members.length, evidence, now);
    this.#published = null;
    this.#changed = true;
  }

  /**
   * Takes the outcome of a probe. What follows from it is decided by the next look.
   * @param id of a backend; one that is not of the pool any more is ignored
   * @returns milliseconds until its next probe
   */
  probed(id: string, outcome: ProbeOutcome, now: number): number {
    const timing = this.#plan?.probe;
    const member = this.#byId.get(id);
    if (timing == null || member === undefined) return timing?.intervalMs ?? Infinity;
    const { probe } = member;
    member.probe = afterProbe(probe, outcome, now, timing);
    member.lastProbe = outcome;
    const turned = isUp(probe) !== isUp(member.probe);
    if (turned) this.#changed = true;
    // That a backend is up which was held to be up is no news.
    if (turned || (probe.kind === "starting" && member.probe.kind === "down"))
      this.#events.settled(member, probe.kind === "starting", timing);
    if (outcome.advice !== null) this.#heed(member, outcome.advice, now);
    return nextProbeMs(member.probe, timing, this.#random);
  }

  /** When it wants to look at the latest, in the time of `now`; now, where something has changed. */
  nextLook(now: number): number {
    return this.#changed ? now : this.#next;
  }

  /** Looks at what the traffic tells and at what time has brought, and decides who gets work. O(n). */
  look(evidence: Evidence, now: number): Look {
    const plan = this.#plan;
    if (plan === null) return { published: null, events: [] };
    for (const [index, member] of this.#members.entries()) {
      this.#release(member, index, evidence, now);
      this.#noteDrain(member, plan.pinnedMs, now);
    }
    if (plan.passive !== null) this.#eject(plan.passive, evidence, now);
    if (this.#changed || this.#members.some(({ rampSince }) => rampSince !== null)) this.#decide(plan, now);
    this.#next = this.#nextOf(plan, now);
    const published = this.#eligible === null ? null : publication(this.#eligible, this.#members, this.#published, now);
    this.#published = published ?? this.#published;
    return { published, events: this.#events.take() };
  }

  /** What is known of each backend, in the order of the pool. */
  get backends(): readonly Readonly<BackendHealth>[] {
    return this.#members;
  }

  /** Who gets work, as of the last look; `null` before the first. */
  get eligible(): Eligible | null {
    return this.#eligible;
  }

  #heed(member: BackendHealth, advice: Advice, now: number): void {
    const before = stateOf(member, now);
    const weightBefore = member.advice.weightPercent;
    member.advice = advice;
    if (advice.state === "ready") member.drainUntil = -Infinity;
    const after = stateOf(member, now);
    if (before === after && weightBefore === advice.weightPercent) return;
    this.#changed = true;
    this.#events.info("backend advises", {
      backend: member.plan.id,
      state: after,
      weightPercent: advice.weightPercent,
    });
  }

  /** Takes back in what has served its time, and begins and ends drains that responses asked for. */
  #release(member: BackendHealth, index: number, evidence: Evidence, now: number): void {
    const released = release(member.ejection, now);
    if (released !== member.ejection) {
      member.ejection = released;
      this.#changed = true;
      // One that is down is back when a probe says so.
      if (isUp(member.probe)) this.#events.info("backend back", { backend: member.plan.id });
    }
    if (member.drainUntil !== -Infinity && now >= member.drainUntil) {
      member.drainUntil = -Infinity;
      this.#changed = true;
    }
    const notices = evidence.notices(index);
    if (notices === member.counts.notices) return;
    member.counts = { ...member.counts, notices };
    if (now >= member.drainUntil) {
      this.#changed = true;
      this.#events.info("backend drains", { backend: member.plan.id, why: "a response said so" });
    }
    member.drainUntil = now + NOTICE_MS;
  }

  /** Notes where a drain begins and ends, and tells of the clients that it moves when it has lasted long enough. */
  #noteDrain(member: BackendHealth, pinnedMs: number, now: number): void {
    if (stateOf(member, now) !== "drain") {
      member.drainSince = null;
      member.keepsPinned = false;
      return;
    }
    member.drainSince ??= now;
    const keeps = now < pinnedUntil(member, pinnedMs);
    if (member.keepsPinned && !keeps)
      this.#events.info("backend moves pinned clients", { backend: member.plan.id, drainedMs: pinnedMs });
    member.keepsPinned = keeps;
  }

  #eject(plan: PassivePlan, evidence: Evidence, now: number): void {
    const suspects: Suspect[] = [];
    for (const [index, member] of this.#members.entries()) {
      const strikes = evidence.strikes(index);
      if (strikes === member.counts.strikes) continue;
      if (strikes > member.counts.strikes && plan.failures !== null)
        suspects.push({ member, cause: { kind: "failures", inARow: plan.failures } });
      member.counts = { ...member.counts, strikes };
    }
    if (this.#window !== null && plan.successRate !== null)
      for (const { index, cause } of findOutliers(this.#window.close(evidence, now), plan.successRate))
        suspects.push({ member: this.#members[index]!, cause });
    if (suspects.length === 0 && !this.#changed) return;
    if (ejectSuspects(suspects, this.#members, this.#standings(now), plan, this.#events, now)) this.#changed = true;
  }

  #standings(now: number): Standing[] {
    return this.#members.map((member) => standingOf(member, now, this.#plan?.slowStartMs ?? 0));
  }

  #decide(plan: HealthPlan, now: number): void {
    this.#changed = false;
    for (const member of this.#members) {
      const standing = standingOf(member, now, plan.slowStartMs);
      const taking = takesWork(standing);
      const waiting = taking && member.probe.kind === "starting" && member.ejection.kind === "in";
      noteWorking(member, taking && standing.healthy, waiting, now, plan.slowStartMs);
    }
    const before = this.#eligible;
    const after = eligible(this.#standings(now), { panicBelow: plan.panicBelow, zone: this.#zone });
    this.#eligible = after;
    this.#events.decided(before, after);
  }

  #nextOf(plan: HealthPlan, now: number): number {
    let next = this.#window?.endsAt ?? Infinity;
    let ramps = false;
    for (const member of this.#members) {
      const { ejection, drainUntil, rampSince, keepsPinned } = member;
      if (ejection.kind === "ejected") next = Math.min(next, ejection.until);
      if (drainUntil !== -Infinity) next = Math.min(next, drainUntil);
      if (keepsPinned) next = Math.min(next, pinnedUntil(member, plan.pinnedMs));
      if (rampSince !== null) ramps = true;
    }
    return ramps ? Math.min(next, nextRampStep(now, plan.slowStartMs)) : next;
  }
}
