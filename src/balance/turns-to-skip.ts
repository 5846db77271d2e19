import type { Candidate } from "./policy.ts";
import { rotation } from "./rotation.ts";
import { reduceWeights } from "./weights.ts";

/**
 * How far to move a pool's cursor when weights change, so that turns go on where they were: to the turn of the new order
 * at which each backend is as far ahead of its share, or behind it, as it was in the old one.
 *
 * The cursor is one for all workers, so whoever makes the change moves it once and every worker goes on alike. Without it
 * the new order begins anywhere, which at each change may give a backend a turn or two more or less than its share.
 *
 * 0 where backends come or go: what those are owed nobody knows, and guessing it is worse than beginning anywhere. 0, too,
 * where weights are so many and different that turns are scattered over their line, which has no beginning.
 * O(old period + new period + candidates).
 * @param turn the cursor's next
 */
export function turnsToSkip(before: readonly Candidate[], after: readonly Candidate[], turn: number): number {
  const old = reduceWeights(before);
  const next = reduceWeights(after);
  const [oldTurns, nextTurns] = [rotation(old), rotation(next)];
  if (oldTurns.period === 0 || nextTurns.period === 0) return 0;
  if (before.length !== after.length || before.some(({ id }, i) => id !== after[i]!.id)) return 0;

  // What each candidate is owed at that turn: its share of the turns so far, less those it had.
  const position = turn % oldTurns.period;
  const owed = Float64Array.from(old.weights, (weight) => (position * weight) / old.total);
  for (let at = 0; at < position; at++) owed[oldTurns.at(at)]! -= 1;

  // The same in the new order, as a difference to that, for each turn from the first; the least sum of squares is best.
  const share = Float64Array.from(next.weights, (weight) => weight / next.total);
  const gap = owed.map((each) => -each);
  const shareSquares = share.reduce((sum, each) => sum + each * each, 0);
  let squares = gap.reduce((sum, each) => sum + each * each, 0);
  let product = gap.reduce((sum, each, i) => sum + each * share[i]!, 0); // of all gaps and shares
  let best = 0;
  let least = squares;
  for (let at = 1; at < nextTurns.period; at++) {
    // Every gap grows by its share, then that of the candidate whose turn it is falls by 1.
    const i = nextTurns.at(at - 1);
    const grown = gap[i]! + share[i]! * at;
    squares += 2 * product + shareSquares - 2 * grown + 1;
    product += shareSquares - share[i]!;
    gap[i]! -= 1;
    if (squares < least - 1e-9) {
      least = squares;
      best = at;
    }
  }
  const skip = (best - (turn % nextTurns.period) + nextTurns.period) % nextTurns.period;
  return turn + skip < 2 ** 32 ? skip : 2 ** 32 - turn + best; // past its end the cursor begins at 0
}
