import { seededRandom } from "../random.ts";
import type { Candidate, Tools } from "./policy.ts";

/** Tools for tests: loads and capacities are read and set as plain numbers. */
export interface FakeTools extends Tools {
  /** In flight, by index. */
  readonly loads: number[];
  /** Most in flight, by index; `Infinity` where it holds nothing. */
  readonly capacities: number[];
  /** Microseconds, by index. */
  readonly latencies: number[];
  /** Which part fails, by index. */
  readonly failures: number[];
  /** The turn that `nextTurn` gives next; `turn` tells it. */
  cursor: number;
  /** Backends whose load was asked for since this was last emptied. */
  readonly asked: number[];
}

/** Tools for tests, with no load and no limit to start with. Equal seeds give equal draws. */
export function fakeTools(seed = 1): FakeTools {
  const tools: FakeTools = {
    loads: [],
    capacities: [],
    latencies: [],
    failures: [],
    cursor: 0,
    asked: [],
    random: seededRandom(seed),
    inFlight: (index) => {
      tools.asked.push(index);
      return tools.loads[index] ?? 0;
    },
    totalInFlight: () => tools.loads.reduce((sum, load) => sum + load, 0),
    latency: (index) => tools.latencies[index] ?? 0,
    failing: (index) => tools.failures[index] ?? 0,
    capacity: (index) => tools.capacities[index] ?? Infinity,
    nextTurn: () => {
      const turn = tools.cursor;
      tools.cursor = (turn + 1) >>> 0;
      return turn;
    },
    turn: () => tools.cursor,
  };
  return tools;
}

/** A candidate with an address made of its index. */
export function candidate(index: number, weight = 1): Candidate {
  return { index, id: `10.0.${index >> 8}.${index & 255}:8080`, weight };
}

/** Candidates with these weights and the indexes 0, 1, 2, … */
export function weighted(...weights: readonly number[]): Candidate[] {
  return weights.map((weight, index) => candidate(index, weight));
}

/** How often each index comes up in so many calls. */
export function tally(times: number, pick: () => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let i = 0; i < times; i++) {
    const index = pick();
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  return counts;
}
