import { Admission } from "./admission.ts";
import { CRC32_START, crc32Byte, crc32Bytes, crc32End } from "./crc32.ts";
import { type Candidate, DEFAULT_OPTIONS, type Policy } from "./policy.ts";
import { TablePicker } from "./table-picker.ts";

/** Points on the ring for a weight of 1. */
const POINTS = 160;
/** Most points of a ring, where 160 a backend are not more: 2 MiB, some 15 ms to sort. */
const MOST_POINTS = 2 ** 18;
/** Candidates that a point can be sorted together with: 32 bits of hash and these in a number's 53. */
const MOST_CANDIDATES = 2 ** 21;

/**
 * A ring of 2³² positions on which each backend has 160 points for each 1 of its weight; a key belongs to the first point at
 * or after it. Ketama as nginx's `hash … consistent` has it: the same points, the same choices.
 * O(1) expected a pick; O(points · log points) to prepare, about 60 ns a point, and 8 to 12 bytes a point.
 *
 * Points beyond 2¹⁸ (a sum of weights above 1,638) are halved until they fit or are 160 a backend on average, each backend
 * keeping the first of its own; choices are then no longer nginx's.
 *
 * D. Karger et al., "Consistent hashing and random trees", STOC 1997; R. Jones, libketama, 2007;
 * nginx, `ngx_http_upstream_update_chash`.
 */
export const ring: Policy = {
  name: "ring",
  keyed: true,
  loads: [],
  learns: ({ maxLoadFactor }) => maxLoadFactor !== null,
  prepare: (candidates, tools, options = DEFAULT_OPTIONS) => {
    const { hashes, owners } = pointsOf(candidates);
    const points = new PointFinder(hashes);
    return new TablePicker(owners, (key) => points.find(key), new Admission(candidates, tools, options));
  },
};

/** The points of a ring in order: where each is, and the candidate it belongs to. */
interface Points {
  readonly hashes: Uint32Array;
  readonly owners: Uint32Array;
}

function pointsOf(candidates: readonly Candidate[]): Points {
  const numbers = countPoints(candidates);
  // Sorted as numbers: hash first, then place in the list, so that of equal points the first in the list counts.
  const sorted = new Float64Array(numbers.reduce((sum, number) => sum + number, 0));
  let at = 0;
  for (const [i, { id }] of candidates.entries()) {
    const base = baseOf(id);
    let hash = 0;
    for (let j = 0; j < numbers[i]!; j++) {
      let state = base;
      for (let shift = 0; shift < 32; shift += 8) state = crc32Byte(state, hash >>> shift);
      hash = crc32End(state);
      sorted[at++] = hash * MOST_CANDIDATES + i;
    }
  }
  sorted.sort();
  const hashes = new Uint32Array(sorted.length);
  const owners = new Uint32Array(sorted.length);
  for (let k = 0; k < sorted.length; k++) {
    const hash = Math.floor(sorted[k]! / MOST_CANDIDATES);
    hashes[k] = hash;
    owners[k] = sorted[k]! - hash * MOST_CANDIDATES;
  }
  return { hashes, owners };
}

/** Points of each candidate. */
function countPoints(candidates: readonly Candidate[]): Uint32Array {
  const sum = candidates.reduce((total, { weight }) => total + weight * POINTS, 0);
  const most = Math.max(MOST_POINTS, candidates.length * POINTS);
  let divisor = 1;
  while (sum / divisor > most) divisor *= 2;
  return Uint32Array.from(candidates, ({ weight }) => Math.max(1, Math.round((weight * POINTS) / divisor)));
}

/** The state of the CRC-32 of host, NUL and port. Each point of a backend is this and the hash of the point before. */
function baseOf(id: string): number {
  const [, host = id, port = ""] = /^unix:(.*)$/s.exec(id) ?? /^(.*):(\d*)$/s.exec(id) ?? [];
  return crc32Bytes(CRC32_START, new TextEncoder().encode(`${host}\0${port}`));
}

/**
 * Finds the first point at or after a hash; the first of all where there is none. Where points begin whose hashes share their
 * highest bits is known from the start, so that few are left to look at: one or two, since hashes lie evenly.
 */
class PointFinder {
  readonly #hashes: Uint32Array;
  /** Position of the first point of each sector of the ring, and behind them the number of points. */
  readonly #starts: Uint32Array;
  readonly #shift: number;

  constructor(hashes: Uint32Array) {
    // As many sectors as points, rounded down to a power of two; two at least, since a shift by 32 bits is none.
    const bits = Math.max(1, 31 - Math.clz32(hashes.length));
    this.#hashes = hashes;
    this.#shift = 32 - bits;
    this.#starts = new Uint32Array((1 << bits) + 1);
    for (const hash of hashes) this.#starts[(hash >>> this.#shift) + 1]! += 1;
    for (let sector = 1; sector < this.#starts.length; sector++) this.#starts[sector]! += this.#starts[sector - 1]!;
  }

  find(hash: number): number {
    const hashes = this.#hashes;
    let at = this.#starts[hash >>> this.#shift]!;
    while (at < hashes.length && hashes[at]! < hash) at += 1;
    return at === hashes.length ? 0 : at;
  }
}
