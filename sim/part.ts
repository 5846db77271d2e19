import { run } from "./run.ts";

/** What a process tells of the runs it has played. */
export interface Told {
  readonly played: number;
  readonly simulatedMs: number;
  /** The first seed whose run failed since it last told, and what was violated. */
  readonly failed: readonly { readonly seed: number; readonly violations: readonly string[] }[];
}

/** It tells every so many milliseconds. */
const TELL_MS = 500;

/**
 * Plays the runs of this process: every `step`-th seed.
 * @param stops whether the first that fails is the last
 */
export function playPart(from: number, runs: number, step: number, stops: boolean, skipped: ReadonlySet<number>): void {
  let told = performance.now();
  let played = 0;
  let simulatedMs = 0;
  let failed: Told["failed"][number][] = [];
  const tell = (): void => {
    const line: Told = { played, simulatedMs, failed };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    told = performance.now();
    played = 0;
    simulatedMs = 0;
    failed = [];
  };
  for (let i = 0; i < runs; i++) {
    const seed = from + i * step;
    if (skipped.has(seed)) continue;
    const outcome = playSafely(seed);
    played += 1;
    simulatedMs += outcome.simulatedMs;
    if (outcome.violations.length > 0) failed.push({ seed, violations: outcome.violations });
    if (stops && failed.length > 0) break;
    if (performance.now() - told > TELL_MS) tell();
  }
  tell();
}

/** A run that throws has failed, and the others go on. */
function playSafely(seed: number): { readonly violations: readonly string[]; readonly simulatedMs: number } {
  try {
    return run(seed);
  } catch (error) {
    return { violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)], simulatedMs: 0 };
  }
}
