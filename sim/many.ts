import { replayLine } from "./one.ts";
import type { Told } from "./part.ts";

/** Failed seeds are all counted, and so many are shown. */
const SHOWN = 20;
/** Where nobody looks at a terminal, a line of progress every so many milliseconds. */
const QUIET_MS = 10_000;

/**
 * Plays many seeds in some processes, and says how far it is.
 * @returns the exit code
 */
export async function playMany(from: number, runs: number, workers: number): Promise<number> {
  const started = performance.now();
  let played = 0;
  let simulatedMs = 0;
  let failures = 0;
  let shown = started;
  const take = (told: Told): void => {
    played += told.played;
    simulatedMs += told.simulatedMs;
    for (const { seed, violations } of told.failed) {
      failures += 1;
      if (failures <= SHOWN)
        console.log(`${clearLine()}seed ${seed}: ${violations[0] ?? ""}\n  again: ${replayLine(seed)}`);
    }
    const now = performance.now();
    if (!process.stdout.isTTY && now - shown < QUIET_MS) return;
    shown = now;
    const line = progress(played, runs, failures, now - started);
    process.stdout.write(process.stdout.isTTY ? `${clearLine()}${line}` : `${line}\n`);
  };
  const parts = Array.from({ length: Math.min(workers, runs) }, (_, index) =>
    playPart(from + index, Math.floor((runs - 1 - index) / workers) + 1, workers, take),
  );
  const whole = (await Promise.all(parts)).every((exitCode) => exitCode === 0);
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${clearLine()}${played} runs, ${failures} failed, in ${seconds.toFixed(1)} s: ` +
      `${(played / seconds).toFixed(0)} runs a second, ${(simulatedMs / 1000 / seconds).toFixed(0)} simulated seconds in one`,
  );
  if (!whole) console.log("a process ended before it was done");
  return failures === 0 && whole && played === runs ? 0 : 1;
}

async function playPart(from: number, runs: number, step: number, take: (told: Told) => void): Promise<number> {
  const main = new URL("main.ts", import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, main, `--from=${from}`, `--runs=${runs}`, `--step=${step}`], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(JSON.parse(line) as Told);
  }
  return child.exited;
}

function progress(played: number, runs: number, failures: number, elapsedMs: number): string {
  const left = played === 0 ? Number.NaN : ((runs - played) * elapsedMs) / played / 1000;
  const rate = played / (elapsedMs / 1000);
  return `${played} of ${runs} runs, ${failures} failed, ${rate.toFixed(0)} a second, ${duration(left)} left`;
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "some time";
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Back to the beginning of the line of progress, where there is one. */
function clearLine(): string {
  return process.stdout.isTTY ? "\r\u001b[K" : "";
}
