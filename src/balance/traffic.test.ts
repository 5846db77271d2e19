/** Policies and what is learnt of latencies and failures, together, under simulated traffic. */
import { describe, expect, test } from "bun:test";
import { PeakEwma } from "../pool/peak-ewma.ts";
import { type Random, seededRandom } from "../random.ts";
import { candidate, fakeTools } from "./fake-tools.ts";
import { leastConnections } from "./least-connections.ts";
import { leastTime } from "./least-time.ts";
import { DEFAULT_OPTIONS, type Policy, type PolicyOptions } from "./policy.ts";
import { rendezvous } from "./rendezvous.ts";
import { maglev } from "./maglev.ts";
import { ring } from "./ring.ts";
import { twoChoices } from "./two-choices.ts";

/** A backend that serves so many at a time and lets others wait. */
interface Server {
  /** Of its service times. */
  readonly meanMs: (now: number) => number;
  /** The part of attempts that it fails, at once. */
  readonly fails?: (now: number) => number;
  /** When it joins the pool. */
  readonly fromMs?: number;
}

interface Traffic {
  readonly servers: readonly Server[];
  readonly perSecond: number;
  readonly seconds: number;
  /** Exchanges before this are not counted. */
  readonly countFromMs?: number;
}

interface Outcome {
  /** The part of the exchanges that each backend got. */
  readonly shares: readonly number[];
  readonly failed: number;
  readonly p99Ms: number;
}

interface Ending {
  readonly at: number;
  readonly index: number;
  readonly startedAt: number;
  readonly failed: boolean;
}

const SLOTS = 8;
const FAILS_IN_MS = 0.5;

function exponential(random: Random, mean: number): number {
  return -mean * Math.log((random.below(2 ** 32) + 1) / 2 ** 32);
}

/** Runs Poisson traffic over servers of exponential service times, on a clock of its own. */
function simulate(policy: Policy, options: PolicyOptions, traffic: Traffic): Outcome {
  const { servers, perSecond, seconds, countFromMs = 0 } = traffic;
  const chance = seededRandom(7);
  const estimates = new PeakEwma(servers.length);
  const inFlight = servers.map(() => 0);
  let now = 0;
  const tools = {
    ...fakeTools(11),
    inFlight: (index: number) => inFlight[index] ?? 0,
    totalInFlight: () => inFlight.reduce((sum, each) => sum + each, 0),
    latency: (index: number) => estimates.latency(index, now),
    failing: (index: number) => estimates.failing(index, now),
  };
  const joined = (): number => servers.filter(({ fromMs = 0 }) => fromMs <= now).length;
  const prepare = (): ReturnType<Policy["prepare"]> =>
    policy.prepare(
      servers.flatMap(({ fromMs = 0 }, index) => (fromMs <= now ? [candidate(index)] : [])),
      tools,
      options,
    );
  let members = joined();
  let picker = prepare();
  const freeAt = servers.map(() => Array.from({ length: SLOTS }, () => 0));
  const endings: Ending[] = [];
  const counts = servers.map(() => 0);
  const times: number[] = [];
  let failed = 0;

  const endUntil = (until: number): void => {
    for (let next = endings[0]; next !== undefined && next.at <= until; next = endings[0]) {
      endings.shift();
      now = next.at;
      inFlight[next.index]! -= 1;
      const microseconds = (next.at - next.startedAt) * 1000;
      if (next.failed) estimates.failed(next.index, microseconds, now);
      else estimates.answered(next.index, microseconds, now);
      if (next.startedAt < countFromMs) continue;
      failed += Number(next.failed);
      if (!next.failed) times.push(next.at - next.startedAt);
    }
  };

  for (let at = 0; at < seconds * 1000; at += exponential(chance, 1000 / perSecond)) {
    endUntil(at);
    now = at;
    if (joined() !== members) {
      members = joined();
      picker = prepare();
    }
    const index = picker.pick(chance.below(2 ** 32));
    const server = servers[index]!;
    inFlight[index]! += 1;
    if (now >= countFromMs) counts[index]! += 1;
    const fails = chance.below(2 ** 32) / 2 ** 32 < (server.fails?.(now) ?? 0);
    const slots = freeAt[index]!;
    let slot = 0;
    for (let i = 1; i < SLOTS; i++) if (slots[i]! < slots[slot]!) slot = i;
    const done = Math.max(now, slots[slot]!) + exponential(chance, server.meanMs(now));
    if (!fails) slots[slot] = done;
    const ending = { at: fails ? now + FAILS_IN_MS : done, index, startedAt: now, failed: fails };
    const place = endings.findLastIndex((other) => other.at <= ending.at) + 1;
    endings.splice(place, 0, ending);
  }
  endUntil(Infinity);

  const all = counts.reduce((sum, count) => sum + count, 0);
  times.sort((a, b) => a - b);
  return {
    shares: counts.map((count) => count / all),
    failed: failed / all,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? NaN,
  };
}

const BOUNDED: PolicyOptions = { ...DEFAULT_OPTIONS, maxLoadFactor: 1.25 };
const LATENCY_AWARE: readonly (readonly [string, Policy, PolicyOptions])[] = [
  ["two-choices with load peak-ewma", twoChoices, { ...DEFAULT_OPTIONS, load: "peak-ewma" }],
  ["least-time", leastTime, DEFAULT_OPTIONS],
];
const AWARE: readonly (readonly [string, Policy, PolicyOptions])[] = [
  ["least-connections", leastConnections, DEFAULT_OPTIONS],
  ["two-choices", twoChoices, DEFAULT_OPTIONS],
  ...LATENCY_AWARE,
  ["rendezvous with bounded load", rendezvous, BOUNDED],
  ["ring with bounded load", ring, BOUNDED],
  ["maglev with bounded load", maglev, BOUNDED],
];
const good: Server = { meanMs: () => 20 };
const failing = (part: number): Server => ({ meanMs: () => 20, fails: () => part });

/** From an idle pool to one at 3/4 of what it can do without the fourth backend. */
describe.each([20, 200, 900])("at %d requests a second over four backends", (perSecond) => {
  test.each(AWARE)("%s: one that fails at once loses traffic", (_, policy, options) => {
    const { shares } = simulate(policy, options, { servers: [good, good, good, failing(1)], perSecond, seconds: 40 });
    expect(shares[3]).toBeLessThan(0.06);
    for (const share of shares.slice(0, 3)) expect(share).toBeWithin(0.27, 0.4);
  });

  test.each(AWARE)("%s: one that fails half of the time loses traffic too", (_, policy, options) => {
    const { shares } = simulate(policy, options, { servers: [good, good, good, failing(0.5)], perSecond, seconds: 40 });
    expect(shares[3]).toBeLessThan(0.2);
  });

  test.each(AWARE)("%s: where all fail alike, none loses traffic", (_, policy, options) => {
    const servers = [good, good, good, good].map(() => failing(0.02));
    const { shares } = simulate(policy, options, { servers, perSecond, seconds: perSecond > 100 ? 40 : 400 });
    for (const share of shares) expect(share).toBeWithin(0.16, 0.36);
  });

  test.each(LATENCY_AWARE)("%s: one ten times slower gets next to nothing", (_, policy, options) => {
    const servers = [good, good, good, { meanMs: () => 200 }];
    const { shares } = simulate(policy, options, { servers, perSecond, seconds: 40 });
    expect(shares[3]).toBeLessThan(0.04);
  });
});

describe.each(LATENCY_AWARE)("%s", (_, policy, options) => {
  test("does not flood a backend that joins, nor leave it out", () => {
    const servers = [good, good, good, { ...good, fromMs: 20_000 }];
    for (const seconds of [20.25, 21, 25]) {
      const { shares } = simulate(policy, options, { servers, perSecond: 600, seconds, countFromMs: 20_000 });
      expect(shares[3]).toBeWithin(0.1, 0.5);
    }
  });

  test("tries a backend again that was slow, and gives it its share back", () => {
    const servers = [good, good, good, { meanMs: (now: number) => (now < 20_000 ? 400 : 20) }];
    const { shares } = simulate(policy, options, { servers, perSecond: 200, seconds: 120, countFromMs: 80_000 });
    expect(shares[3]).toBeWithin(0.18, 0.32);
  });

  test("tries a backend again that failed, and gives it its share back", () => {
    const servers = [good, good, good, { ...good, fails: (now: number) => Number(now < 20_000) }];
    const { shares } = simulate(policy, options, { servers, perSecond: 200, seconds: 140, countFromMs: 100_000 });
    expect(shares[3]).toBeWithin(0.18, 0.32);
  });

  test("gives a backend that hangs no more and more as its last answer grows old", () => {
    const servers = [good, good, good, { meanMs: (now: number) => (now < 20_000 ? 20 : 1e9) }];
    const { shares } = simulate(policy, options, { servers, perSecond: 200, seconds: 140, countFromMs: 20_000 });
    expect(shares[3]).toBeLessThan(0.002);
  });

  test("has a better p99 than two-choices by what is in flight, where one of ten is ten times slower", () => {
    const servers = Array.from({ length: 10 }, (__, i) => ({ meanMs: () => (i === 0 ? 200 : 20) }));
    const traffic = { servers, perSecond: 1000, seconds: 40, countFromMs: 5000 };
    const { p99Ms } = simulate(policy, options, traffic);
    expect(p99Ms).toBeLessThan(simulate(twoChoices, DEFAULT_OPTIONS, traffic).p99Ms / 1.5);
  });
});
