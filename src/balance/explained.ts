/** What a policy tells of one candidate when it is asked to explain itself. */
export interface Scored {
  /** Position of the backend in its pool. */
  readonly index: number;
  /** What the policy compares, in the unit of `Explained.compares`; `null` where it did not get as far as this candidate. */
  readonly score: number | null;
  /** How likely the next pick is this one, from 0 to 1; `null` where that would take too long to work out. */
  readonly odds: number | null;
  /** Why it takes none just now; empty where it may be chosen. */
  readonly refused: string;
}

/** How a picker would choose if it were asked now. It moves no cursor and throws no dice. */
export interface Explained {
  /** What the next pick gives as things stand: an `index`, or -1 for none; `null` where dice decide, among those with odds above 0. */
  readonly choice: number | null;
  /** What `score` is, and which one wins. */
  readonly compares: string;
  /** How it comes to the choice. */
  readonly why: string;
  /** In the order of the candidates. */
  readonly candidates: readonly Scored[];
}

/** Dice that leave less than this to all others leave nothing: what adding up fractions rounds away. */
const CERTAIN = 1 - 1e-9;

/** The explanation of a choice that needs no dice. O(candidates). */
export function decided(
  choice: number,
  compares: string,
  why: string,
  candidates: readonly Omit<Scored, "odds">[],
): Explained {
  const scored = candidates.map((each) => ({ ...each, odds: each.index === choice ? 1 : 0 }));
  return { choice, compares, why, candidates: scored };
}

/** The explanation of a draw; one that leaves only one candidate is a choice. O(candidates). */
export function drawn(compares: string, why: string, candidates: readonly Scored[]): Explained {
  const only = candidates.find(({ odds }) => odds !== null && odds > CERTAIN);
  return { choice: only?.index ?? null, compares, why, candidates };
}
