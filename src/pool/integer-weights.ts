/** The largest weight that a policy takes. */
const MOST = 65_535;
/** Common factors that make most fractions whole: tenths of a ramp, percent of a weight. Small ones first, since tables grow with them. */
const SCALES = [1, 2, 4, 5, 10, 20, 50, 100] as const;
/** Where none does, the smallest weight is made at least this large: it is then off by one part in 40 at most. */
const RESOLUTION = 20;
/** Sums of fractions are off by some 10⁻¹⁵. */
const EXACT = 1e-9;

/** Weights as policies take them. */
export interface IntegerWeights {
  /** Whole numbers from 1 to 65535. */
  readonly weights: Uint16Array;
  /** What all of them were multiplied by: what has as many points as its weight says (`ring`) divides by it. */
  readonly scale: number;
}

/**
 * Makes whole numbers of weights, in proportion. Whole ones stay as they are, so that round-robin's sequence is nginx's
 * whenever no ramp is on. O(n).
 * @param real each above 0
 */
export function integerWeights(real: readonly number[]): IntegerWeights {
  let least = Infinity;
  let most = 0;
  for (const weight of real) {
    if (weight < least) least = weight;
    if (weight > most) most = weight;
  }
  const scale =
    SCALES.find((factor) => most * factor <= MOST && real.every((weight) => isWhole(weight * factor))) ??
    // Rounded up, so that those which are whole stay exact; where the largest has no room for that, as near as it goes.
    Math.min(Math.ceil(RESOLUTION / least), MOST / most);
  return { weights: Uint16Array.from(real, (weight) => Math.max(1, Math.round(weight * scale))), scale };
}

function isWhole(weight: number): boolean {
  const whole = Math.round(weight);
  return whole >= 1 && Math.abs(weight - whole) <= EXACT * whole;
}
