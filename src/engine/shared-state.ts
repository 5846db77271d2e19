import { Counters, countersBytes, countersRanges, type CountersShape } from "../observe/counters.ts";
import { HealthWords, type HealthWordsShape, healthWordsBytes, healthWordsRanges } from "../observe/health-words.ts";
import { type Memory, memoryOf, wholeParts } from "../observe/memory.ts";

/** What all workers of a plan and their supervisor share. */
export interface SharedState {
  readonly counters: Counters;
  readonly words: HealthWords;
}

/** Bytes of the shared memory from the first to before the last. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Rows and lines, each from the first to before the last. */
export interface Extent {
  readonly rows: Range;
  readonly lines: Range;
}

/** The words of health come first: all of them are mapped, of the counters only what is used. */
function wordsOf(shape: CountersShape): HealthWordsShape {
  return { pools: shape.cursors, rows: shape.rows };
}

function countersAt(shape: CountersShape): number {
  return wholeParts(healthWordsBytes(wordsOf(shape)));
}

/** Bytes of memory for shared state of a shape. */
export function sharedStateBytes(shape: CountersShape): number {
  return countersAt(shape) + countersBytes(shape);
}

/**
 * Lays shared state over memory: the words of health, then the counters.
 * @param given at least `sharedStateBytes` bytes, zeroed when new
 */
export function sharedStateOver(given: ArrayBufferLike | Memory, shape: CountersShape): SharedState {
  const memory = memoryOf(given);
  const { buffer, at } = memory.part(0, countersAt(shape));
  return {
    words: new HealthWords(buffer, wordsOf(shape), at),
    counters: new Counters(memory, shape, countersAt(shape)),
  };
}

/**
 * Where in the memory some rows and lines are, over all workers. Memory that was never written takes no room: whoever hands out rows
 * writes these ranges first, so that a file system that is full says so then, and not to a worker at its first store.
 */
export function rangesOf(shape: CountersShape, { rows, lines }: Extent): readonly Range[] {
  const first = countersAt(shape);
  const ofCounters = countersRanges(shape, rows, lines).map(({ from, to }) => ({ from: first + from, to: first + to }));
  return [...healthWordsRanges(wordsOf(shape), rows, lines), ...ofCounters].filter(({ from, to }) => to > from);
}
