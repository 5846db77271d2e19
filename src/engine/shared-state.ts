import type { Plan } from "../plan.ts";
import { Counters, countersBytes } from "../observe/counters.ts";
import { HealthWords, type HealthWordsShape, healthWordsBytes } from "../observe/health-words.ts";
import { rowsOf } from "./rows.ts";

/** What all workers of a plan and their supervisor share. */
export interface SharedState {
  readonly counters: Counters;
  readonly words: HealthWords;
}

/** Typed arrays of the words begin at a cache line. */
const LINE = 64;

function layoutOf(plan: Plan, workers: number): { at: number; words: HealthWordsShape; bytes: number } {
  const { shape } = rowsOf(plan, workers);
  const at = Math.ceil(countersBytes(shape) / LINE) * LINE;
  const words = { pools: plan.pools.length, rows: shape.rows };
  return { at, words, bytes: at + healthWordsBytes(words) };
}

/** Bytes of memory for the shared state of a plan. */
export function sharedStateBytes(plan: Plan, workers: number): number {
  return layoutOf(plan, workers).bytes;
}

/**
 * Lays the shared state of a plan over memory: the counters, then the words of health.
 * @param memory at least `sharedStateBytes` bytes, zeroed when new
 */
export function sharedStateOver(memory: ArrayBufferLike, plan: Plan, workers: number): SharedState {
  const { at, words } = layoutOf(plan, workers);
  return { counters: new Counters(memory, rowsOf(plan, workers).shape), words: new HealthWords(memory, words, at) };
}
