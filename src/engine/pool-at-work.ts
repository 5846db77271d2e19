import { POLICIES } from "../balance/registry.ts";
import type { Policy } from "../balance/policy.ts";
import type { Clock, WallClock } from "../clock.ts";
import type { Dial } from "../net/dial.ts";
import type { Ticker } from "../net/network.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import type { Counters } from "../observe/counters.ts";
import type { HealthWords } from "../observe/health-words.ts";
import type { PoolPlan } from "../plan.ts";
import type { GateRoom } from "../pool/gate-room.ts";
import { LatencyWindow } from "../pool/latency-window.ts";
import { PeakEwma } from "../pool/peak-ewma.ts";
import { Pool } from "../pool/pool.ts";
import { PoolEvidence } from "../pool/pool-evidence.ts";
import { DEFAULT_RETRY_BUDGET, RetryBudget } from "../pool/retry-budget.ts";
import { BackendLink } from "../proxy/backend-link.ts";
import type { LivePool } from "../proxy/target.ts";
import type { Random } from "../random.ts";
import { HashKey } from "../route/hash-key.ts";
import { makeAffinity } from "./affinity.ts";
import { makeRoom, TickingGate } from "./pool-gate.ts";
import type { Steps } from "../steps.ts";

/** What all pools of a worker are made with. */
export interface PoolTools {
  /** Of the counters: where this worker writes. */
  readonly section: number;
  readonly workers: number;
  readonly counters: Counters;
  readonly words: HealthWords;
  readonly random: Random;
  readonly clock: Clock;
  /** By which cookies are made and expire. */
  readonly wallClock: WallClock;
  readonly tick: Ticker;
  readonly wheel: TimerWheel;
  readonly dial: Dial;
  /** The way to a backend that has left the pool and is not done yet; `undefined` where there is none. */
  readonly retired: (pool: string, backend: string) => BackendLink | undefined;
  /** Rows of pools at which this worker has begun to count what is in flight. For `makePool` and `enterPool` alone. */
  readonly sums: Set<number>;
}

/** Where a pool stands in the shared memory, and what is asked of it beside its plan. */
export interface PoolPlace {
  /** Rows of its backends. */
  readonly rows: readonly number[];
  readonly row: number;
  readonly line: number;
  /** Whether a route goes by how long its answers take. */
  readonly asksLatency: boolean;
}

/** A live pool with what the next plan needs to go on from it. */
export interface PoolAtWork {
  readonly plan: PoolPlan;
  readonly place: PoolPlace;
  readonly live: LivePool;
  readonly links: ReadonlyMap<string, BackendLink>;
  readonly learnt: PeakEwma | null;
  readonly room: GateRoom | null;
  readonly gate: TickingGate | null;
  /** Whether what is in flight in the pool is counted at its row, beside those of its backends; once it is, it goes on for good. */
  readonly summed: boolean;
  /** Links of the pool before it whose backends it has no more, and links that had left that pool and are back. */
  readonly gone: readonly LeftLink[];
  readonly back: readonly BackendLink[];
}

/** Backends whose links are made in a step. */
const LINKS = 32;

/** Whether a pool at work will do for a plan as it is. O(backends) at most, and O(1) where the plan is another. */
export function isUnchanged(before: PoolAtWork, plan: PoolPlan, { rows, row, line, asksLatency }: PoolPlace): boolean {
  const { place } = before;
  return (
    before.plan === plan &&
    place.row === row &&
    place.line === line &&
    place.asksLatency === asksLatency &&
    (place.rows === rows || place.rows.every((each, index) => each === rows[index]))
  );
}

/**
 * Makes a pool of its plan, beside the one that it follows: what is known of its backends goes over by their identity, and their connections
 * do. Changes nothing that is at work.
 */
export function* makePool(
  tools: PoolTools,
  plan: PoolPlan,
  place: PoolPlace,
  before: PoolAtWork | null,
): Steps<PoolAtWork> {
  const { section, workers, counters, words, wallClock, clock, tick } = tools;
  const policy = policyOf(plan);
  const learnt = learntOf(policy, plan, before);
  const gateRows = { counters, section, pool: place.row, backends: place.rows };
  const room = makeRoom(plan, gateRows, before);
  yield;
  // Only a policy that learns and a gate ask for the sum, so only then is it begun. It is kept on where they do no longer: gates of plans
  // before still take slots of the pool, also for backends that have left it, and nobody knows all links to those.
  const summed = learnt !== null || room !== null || tools.sums.has(place.row);
  const links: BackendLink[] = [];
  const back: BackendLink[] = [];
  for (const [index, { id }] of plan.backends.entries()) {
    const left = before?.links.has(id) === true ? undefined : tools.retired(plan.name, id);
    if (left !== undefined) back.push(left);
    links.push(before?.links.get(id) ?? left ?? makeLink(tools, plan, place, index, summed));
    if (index % LINKS === 0) yield;
  }
  const known = new Map(links.map((link) => [link.id, link]));
  const pool = chooserOf(tools, plan, place, { policy, learnt, room, summed });
  yield;
  const gate = room === null ? null : new TickingGate(plan, gateRows, room, pool, clock, tick, before?.gate ?? null);
  return {
    plan,
    place,
    links: known,
    gone: before === null ? [] : linksOf(before, known),
    back,
    learnt,
    room,
    gate,
    summed,
    live: {
      pool,
      row: counters.row(section, place.row),
      key: plan.policy.key === null ? null : new HashKey(plan.policy.key),
      feedback: learnt,
      health: new PoolEvidence(words, place.line, place.rows, plan.health),
      gate: gate === null ? null : gate.gate,
      affinity: makeAffinity(plan, words, place.rows, wallClock),
      latencies: place.asksLatency ? (before?.live.latencies ?? new LatencyWindow()) : null,
      budget: budgetOf(plan, workers, before),
      links,
    },
  };
}

/** A link whose backend has left its pool, with work to finish. */
export interface LeftLink {
  readonly link: BackendLink;
  /** Of the backend. */
  readonly row: number;
}

/** All links of a pool but those of some backends. */
export function linksOf({ live, place }: PoolAtWork, but?: ReadonlyMap<string, unknown>): readonly LeftLink[] {
  const links: LeftLink[] = [];
  for (const [index, link] of live.links.entries())
    if (but?.has(link.id) !== true) links.push({ link, row: place.rows[index]! });
  return links;
}

/**
 * Puts a pool in the place of the one before; O(1) where the same backends are in it and nothing is limited. Where the sum of what is in flight is kept from now on, it is made of what is, and the rows of
 * all links anew; where a backend is back, the rows alone. Whoever ends what is in flight meanwhile asks its link for the row.
 * @param left links of backends that have left the pool; those that are back are among them
 */
export function enterPool(
  { section, counters, sums }: PoolTools,
  { place: { row, rows }, live, links, room, summed, back }: PoolAtWork,
  before: PoolAtWork | null,
  left: readonly LeftLink[],
): void {
  for (const link of back) link.revive();
  if (room !== null) room.begin();
  else before?.room?.lift((index) => links.has(before.plan.backends[index]!.id));
  const begins = summed && !sums.has(row);
  if (begins) sums.add(row);
  const isNew = before === null && left.length === 0;
  if (back.length === 0 && (!begins || isNew)) return;
  for (const [index, link] of live.links.entries()) link.row = counters.row(section, rows[index]!, summed ? row : null);
  if (!begins) return;
  // With those that have left: who waits at a gate before this one may still be let in there, and takes a slot of the pool.
  const retired = left.filter(({ link }) => link.isRetired);
  for (const { link, row: own } of retired) link.row = counters.row(section, own, row);
  counters.sumInFlight(section, row, [...rows, ...retired.map((each) => each.row)]);
}

function policyOf({ policy: { name } }: PoolPlan): Policy {
  const policy = POLICIES.get(name);
  if (policy === undefined) throw new Error(`no policy ${name}`);
  return policy;
}

function makeLink(
  { counters, section, dial, wheel }: PoolTools,
  { name, backends }: PoolPlan,
  { rows, row }: PoolPlace,
  index: number,
  summed: boolean,
): BackendLink {
  return new BackendLink(
    name,
    backends[index]!,
    counters.row(section, rows[index] ?? 0, summed ? row : null),
    dial,
    wheel,
  );
}

/** What the policy asks of latency: the same numbers where the backends are the same, else those of the backends that stay. */
function learntOf(
  policy: Policy,
  { policy: { options }, backends }: PoolPlan,
  before: PoolAtWork | null,
): PeakEwma | null {
  if (!policy.learns(options)) return null;
  const known = before?.learnt ?? null;
  if (before === null || known === null) return new PeakEwma(backends.length);
  const same =
    backends.length === before.plan.backends.length &&
    backends.every(({ id }, i) => id === before.plan.backends[i]!.id);
  if (same) return known;
  const learnt = new PeakEwma(backends.length);
  const positions = new Map(before.plan.backends.map(({ id }, index) => [id, index]));
  for (const [index, { id }] of backends.entries()) {
    const from = positions.get(id);
    if (from !== undefined) learnt.adopt(index, known, from);
  }
  return learnt;
}

function budgetOf({ retryBudget }: PoolPlan, workers: number, before: PoolAtWork | null): RetryBudget {
  const { ratio, floorPerSecond } = retryBudget;
  const known = before?.plan.retryBudget;
  if (before !== null && known?.ratio === ratio && known.floorPerSecond === floorPerSecond) return before.live.budget;
  // Each worker has its part of the floor; the ratios add up by themselves.
  return new RetryBudget({ ...DEFAULT_RETRY_BUDGET, ratio, floorPerSecond: floorPerSecond / workers });
}

interface Chooser {
  readonly policy: Policy;
  readonly learnt: PeakEwma | null;
  readonly room: GateRoom | null;
  readonly summed: boolean;
}

function chooserOf(
  { counters, words, random, wheel }: PoolTools,
  plan: PoolPlan,
  { rows, row, line }: PoolPlace,
  { policy, learnt, room, summed }: Chooser,
): Pool {
  return new Pool(
    plan.name,
    policy,
    plan.backends,
    {
      random,
      inFlight: (index) => counters.inFlight(rows[index] ?? 0),
      totalInFlight: summed ? () => counters.inFlight(row) : () => 0,
      capacity: room === null ? () => Number.POSITIVE_INFINITY : (index) => room.capacity(index),
      latency: learnt === null ? () => 0 : (index) => learnt.latency(index, wheel.now),
      failing: learnt === null ? () => 0 : (index) => learnt.failing(index, wheel.now),
      nextTurn: () => counters.nextTurn(line),
      turn: () => counters.turn(line),
    },
    plan.policy.options,
    { words, pool: line, rows },
  );
}
