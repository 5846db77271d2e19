import type { Candidate, Picker, Tools } from "./policy.ts";
import { spread } from "./spread.ts";
import type { Tried } from "./tried.ts";

/** Enough for a policy that takes turns or draws to come past a tried backend; one that is sure of its choice never will. */
const ASKS = 4;

/**
 * Chooses a backend for the next attempt of an exchange or connection, other than those it was already tried on.
 *
 * Asks the picker a few times; a keyed one passes over the tried by itself and is asked once. Where it insists on tried backends, as `least-connections` does on a dead one, takes one of the
 * untried by weight: for a keyed request the same one for the same key, otherwise in rotation, so that what a dead backend
 * would have got is shared by all others and does not fall on its neighbour. As costly as `picker.pick` where nothing was
 * tried; up to four picks and O(candidates) questions whether one was tried otherwise. Allocates nothing.
 *
 * @param candidates those the picker was prepared for
 * @param tried indexes of backends already tried; they need not be candidates any more
 * @returns the `index` of an untried candidate, or -1 where each candidate was tried or none of the untried has room: whether
 *   then to try one again is for the caller to say
 */
export function pickUntried(
  picker: Pick<Picker, "pick">,
  key: number,
  candidates: readonly Candidate[],
  tried: Tried,
  tools: Tools,
): number {
  if (tried.length === 0) return picker.pick(key);
  for (let ask = 0; ask < ASKS; ask++) {
    const index = picker.pick(key, tried);
    if (!tried.includes(index)) return index; // among them -1: a policy that has no room for an attempt has none for another
  }
  return pickByWeight(key, candidates, tried, tools);
}

/** Chooses one with room among those that were not tried, by weight, as `pickUntried` does at last. */
export function pickByWeight(key: number, candidates: readonly Candidate[], tried: Tried, tools: Tools): number {
  let weight = 0;
  for (const candidate of candidates) {
    if (isOpen(candidate, tried, tools)) weight += candidate.weight;
  }
  if (weight === 0) return -1;
  let position = spread(key === 0 ? tools.nextTurn() : key, weight);
  let chosen = -1;
  for (const candidate of candidates) {
    if (!isOpen(candidate, tried, tools)) continue;
    chosen = candidate.index;
    position -= candidate.weight;
    if (position < 0) break;
  }
  return chosen;
}

function isOpen({ index }: Candidate, tried: Tried, tools: Tools): boolean {
  return !tried.includes(index) && tools.inFlight(index) < tools.capacity(index);
}
