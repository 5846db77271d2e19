/** Prints what a pick costs, by policy, size of the pool and weights. Run by hand: `node_modules/.bin/bun bench/picks.ts`. */
import {
  type Candidate,
  DEFAULT_OPTIONS,
  type Picker,
  type Policy,
  type PolicyOptions,
  type Tools,
} from "../src/balance/policy.ts";
import { POLICIES } from "../src/balance/registry.ts";
import { seededRandom } from "../src/random.ts";

const SIZES = [3, 100, 10_000];
const WEIGHTS: Readonly<Record<string, (i: number) => number>> = {
  equal: () => 1,
  "1 to 10": (i) => 1 + (i % 10),
  "1 to 65535": (i) => 1 + ((i * 40_503) % 65_535),
};
/** Median of this many rounds, each at least this long. */
const ROUNDS = 5;
const ROUND_MS = 40;

/** Every policy as it is, then those that have options with them. */
const VARIANTS: readonly (readonly [string, Policy, PolicyOptions])[] = [...POLICIES].flatMap(([name, policy]) => [
  [name, policy, DEFAULT_OPTIONS] as const,
  ...(policy.keyed ? [[`${name} ≤ 1.25`, policy, { ...DEFAULT_OPTIONS, maxLoadFactor: 1.25 }] as const] : []),
]);

/** Every backend has one to four in flight, read from a typed array as a worker reads its shared counters. */
function busyTools(backends: number): Tools {
  const random = seededRandom(1);
  const inFlight = Uint32Array.from({ length: backends }, () => 1 + random.below(4));
  const total = inFlight.reduce((sum, each) => sum + each, 0);
  const latency = Float64Array.from({ length: backends }, () => 1000 + random.below(4000));
  let turn = 0;
  return {
    random,
    inFlight: (index) => inFlight[index] ?? 0,
    totalInFlight: () => total,
    capacity: () => Infinity,
    latency: (index) => latency[index] ?? 0,
    failing: () => 0,
    nextTurn: () => turn++ >>> 0,
    turn: () => turn >>> 0,
  };
}

function timed(work: () => void): number {
  const start = Bun.nanoseconds();
  work();
  return Bun.nanoseconds() - start;
}

/** Keeps the picks from being optimised away. */
let sum = 0;

function nanosecondsPerPick(picker: Picker): number {
  const run = (picks: number): number =>
    timed(() => {
      for (let i = 0; i < picks; i++) sum += picker.pick(Math.imul(i, 0x9e3779b1) >>> 0);
    });
  let picks = 64;
  while (run(picks) < ROUND_MS * 1e6) picks *= 2;
  const rounds = Array.from({ length: ROUNDS }, () => run(picks) / picks);
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
}

function measure(
  policy: Policy,
  options: PolicyOptions,
  backends: number,
  weightOf: (i: number) => number,
): readonly string[] {
  const candidates: readonly Candidate[] = Array.from({ length: backends }, (_, index) => ({
    index,
    id: `10.0.${index >> 8}.${index & 255}:8080`,
    weight: weightOf(index),
  }));
  const tools = busyTools(backends);
  let picker = policy.prepare(candidates, tools, options);
  const prepareNs = timed(() => {
    picker = policy.prepare(candidates, tools, options);
  });
  return [nanosecondsPerPick(picker).toFixed(1), (prepareNs / 1e6).toFixed(2)];
}

console.log("policy              backends  weights      ns per pick  ms to prepare");
for (const [name, policy, options] of VARIANTS) {
  for (const backends of SIZES) {
    for (const [weights, weightOf] of Object.entries(WEIGHTS)) {
      const [pick = "", prepare = ""] = measure(policy, options, backends, weightOf);
      console.log(
        name.padEnd(18),
        String(backends).padStart(9),
        "",
        weights.padEnd(11),
        pick.padStart(12),
        prepare.padStart(14),
      );
    }
  }
}
if (Number.isNaN(sum)) throw new Error("a picker returned no number");
