import { Admission } from "./admission.ts";
import { hashText, mix } from "./mix.ts";
import { type Candidate, DEFAULT_OPTIONS, type Policy } from "./policy.ts";
import { TablePicker } from "./table-picker.ts";

/** Places of the table: a prime, so that every step visits them all. The paper's and Envoy's. */
const SIZE = 65_537;

/**
 * A table of 65,537 places, filled by the backends in turns, as often as their weights say: each takes the next free place
 * in its own order of them. A key belongs to the place it hashes to.
 * O(1) a pick; O(places · log places) to prepare whatever the number of backends, 256 KiB.
 *
 * D. Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI 2016, section 3.4; weights by
 * turns as in Envoy's `maglev_lb`.
 */
export const maglev: Policy = {
  name: "maglev",
  keyed: true,
  loads: [],
  learns: ({ maxLoadFactor }) => maxLoadFactor !== null,
  prepare: (candidates, tools, options = DEFAULT_OPTIONS) =>
    new TablePicker(tableOf(candidates), (key) => mix(key) % SIZE, new Admission(candidates, tools, options)),
};

/** The candidate of each place. It depends on who the candidates are, not on their order in the list. */
export function tableOf(candidates: readonly Candidate[]): Uint32Array {
  const order = [...candidates.keys()].sort((a, b) => (candidates[a]!.id < candidates[b]!.id ? -1 : 1));
  const next = Uint32Array.from(order, (i) => hashText(candidates[i]!.id, 1) % SIZE);
  const step = Uint32Array.from(order, (i) => 1 + (hashText(candidates[i]!.id, 2) % (SIZE - 1)));
  const table = new Uint32Array(SIZE);
  const taken = new Uint8Array(SIZE);
  const ranks = turnsOf(order.map((i) => candidates[i]!.weight));
  for (let turn = 0; turn < SIZE; turn++) {
    const rank = ranks[turn]!;
    let place = next[rank]!;
    while (taken[place]) place = after(place, step[rank]!);
    taken[place] = 1;
    table[place] = order[rank]!;
    next[rank] = after(place, step[rank]!);
  }
  return table;
}

function after(place: number, step: number): number {
  return place + step < SIZE ? place + step : place + step - SIZE;
}

/**
 * Whose turn it is to take a place, from first to last. In each round the heaviest take one and a backend of a third of
 * their weight takes one every third round, all of them in the first. Found by sorting the rounds of all turns: going round
 * and round would be slow beside a very heavy backend.
 */
function turnsOf(weights: readonly number[]): Uint32Array {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rounds = Math.ceil((SIZE * heaviest) / total);
  const counts = weights.map((weight) => Math.floor((rounds * weight) / heaviest) + 1);
  const turns = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const [rank, weight] of weights.entries())
    for (let turn = 0; turn < counts[rank]!; turn++)
      turns[at++] = Math.ceil((turn * heaviest) / weight) * weights.length + rank;
  turns.sort();
  // A loop: `from` goes through an iterator, which takes longer than all the rest.
  const ranks = new Uint32Array(SIZE);
  for (let turn = 0; turn < SIZE; turn++) ranks[turn] = turns[turn]! % weights.length;
  return ranks;
}
