import { run } from "./run.ts";

/** The line that plays a seed again. */
export function replayLine(seed: number): string {
  return `npm run sim -- --seed ${seed}`;
}

/**
 * Plays one seed, and prints its log unless that is not wanted.
 * @returns the exit code
 */
export function playOne(seed: number, quiet: boolean): number {
  const lines: string[] = [];
  const { violations, simulatedMs, events, setting, outcomes } = run(
    seed,
    quiet ? null : (line) => void lines.push(line),
  );
  if (!quiet) console.log(lines.join("\n"));
  const ended = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(
    `seed ${seed}: ${setting.theme}, ${setting.mode}, ${ended.join(", ")}; ${(simulatedMs / 1000).toFixed(1)} s, ${events} events`,
  );
  for (const violation of violations) console.log(`VIOLATED ${violation}`);
  if (violations.length > 0) console.log(`again: ${replayLine(seed)}`);
  return violations.length === 0 ? 0 : 1;
}
