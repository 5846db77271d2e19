import { Line } from "./line.ts";
import { spread } from "./spread.ts";
import type { Weights } from "./weights.ts";

/** An order in which candidates take turns in proportion to their weights, without chance. */
export interface Rotation {
  /** Turns until the order repeats, where it is a table of one period; 0 where it is not. */
  readonly period: number;
  /** The candidate of a turn, from 0 to 2³² - 1, counted from 0 in list order. O(1) expected. */
  at(turn: number): number;
}

/** Comparisons that making an exact cycle may take: some milliseconds. */
const MOST_STEPS = 4_000_000;
/** Turns of an exact cycle: 4 MiB. */
const MOST_TURNS = 2 ** 20;

/**
 * Makes the order of turns for a set of weights.
 *
 * Smooth weighted round robin, turn for turn that of nginx (`ngx_http_upstream_get_peer`), as a table of one whole period:
 * the sum of the weights without their common factor. The table takes O(period × different weights) to make. Past
 * 4,000,000 steps or 2²⁰ turns (hundreds of backends with hundreds of different weights) the turns are instead scattered
 * over the line of weights, which takes O(n): after any number of turns each backend has had its share, off by a few turns,
 * but not in nginx's order.
 */
export function rotation(weights: Weights): Rotation {
  const different = new Set(weights.weights).size;
  return weights.total <= MOST_TURNS && weights.total * different <= MOST_STEPS
    ? new Cycle(smoothCycle(weights))
    : new Scatter(weights);
}

class Cycle implements Rotation {
  readonly period: number;
  readonly #cycle: Uint32Array;

  constructor(cycle: Uint32Array) {
    this.period = cycle.length;
    this.#cycle = cycle;
  }

  at(turn: number): number {
    return this.#cycle[turn % this.#cycle.length]!;
  }
}

class Scatter implements Rotation {
  readonly period = 0;
  readonly #total: number;
  readonly #line: Line;

  constructor(weights: Weights) {
    this.#total = weights.total;
    this.#line = new Line(weights);
  }

  at(turn: number): number {
    return this.#line.at(spread(turn, this.#total));
  }
}

/**
 * nginx adds each weight to its backend's current weight, takes the first backend with the highest one and takes the sum of
 * weights off it. Backends of one weight so take their turns in list order, and looking at the next of each weight is
 * enough: with equal weights the cycle is the list.
 */
function smoothCycle({ weights, total }: Weights): Uint32Array {
  const membersOf = new Map<number, number[]>();
  for (let i = 0; i < weights.length; i++) {
    const members = membersOf.get(weights[i]!);
    if (members) members.push(i);
    else membersOf.set(weights[i]!, [i]);
  }
  // A column for each different weight: the weight, its members, which of them is next, and that one's current weight.
  const weight = Float64Array.from(membersOf.keys());
  const members = [...membersOf.values()];
  const taken = new Uint32Array(members.length);
  const next = Uint32Array.from(members, (list) => list[0]!);
  const current = new Float64Array(members.length);

  const cycle = new Uint32Array(total);
  for (let turn = 0; turn < total; turn++) {
    let best = 0;
    let highest = -Infinity;
    for (let k = 0; k < weight.length; k++) {
      const raised = current[k]! + weight[k]!;
      current[k] = raised;
      if (raised > highest || (raised === highest && next[k]! < next[best]!)) {
        best = k;
        highest = raised;
      }
    }
    cycle[turn] = next[best]!;
    taken[best]! += 1;
    if (taken[best] === members[best]!.length) {
      taken[best] = 0;
      current[best]! -= total; // each member has had its turn
    }
    next[best] = members[best]![taken[best]!]!;
  }
  return cycle;
}
