/**
 * The simulated network. `--seed N` plays one run and prints its log (`--quiet`: what it came to, no more); `--runs N` plays that many, from
 * `--from` on, with `--workers` processes. Ends with 1 where an invariant was violated.
 */
import { parseArgs } from "node:util";
import { playMany } from "./many.ts";
import { playOne } from "./one.ts";
import { playPart } from "./part.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    quiet: { type: "boolean", default: false },
    runs: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    workers: { type: "string", default: "1" },
    // For the processes that this one starts: plays every n-th seed, and tells of it in lines of JSON.
    step: { type: "string" },
    // And ends at the first that fails.
    stop: { type: "boolean", default: false },
    // Seeds that are passed over.
    skip: { type: "string", default: "" },
  },
});

/** @throws an error that says what is wrong with it */
function whole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

const from = whole("from", values.from);
const runs = whole("runs", values.runs);
if (values.seed !== undefined) process.exit(playOne(whole("seed", values.seed), values.quiet));
else if (values.step !== undefined)
  playPart(
    from,
    runs,
    whole("step", values.step),
    values.stop,
    new Set(values.skip.split(",").filter(Boolean).map(Number)),
  );
else process.exit(await playMany(from, runs, Math.max(1, whole("workers", values.workers))));
