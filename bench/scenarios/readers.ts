import { runOpenLoop } from "../open-loop.ts";
import { OwnProgram } from "../own-program.ts";
import { memoryBytes } from "../proc.ts";
import type { Sample, Scenario } from "../scenario.ts";
import type { Options } from "../options.ts";
import type { Target } from "../target.ts";

const count = 2000;
/** Until what the readers have asked for is in the buffers, and no more comes. */
const settleMs = 3000;

/** Latency of normal clients beside thousands that hardly read, and what those cost. */
export const readers: Scenario = {
  name: "readers",
  title: `HTTP, normal clients beside ${count} that read 4 KiB a second of a 10 MiB response`,
  mode: "http",
  largeBuffers: false,
  narrowBackends: true,
  needsWrk: false,
  figures: [
    { key: "before", label: "p99 at the fixed rate before, ms", digits: 2, better: "lower" },
    { key: "during", label: "… beside them, ms", digits: 2, better: "lower" },
    {
      key: "times",
      label: "… beside them ÷ before",
      digits: 2,
      better: "lower",
      goal: { of: "figure", is: "at most", value: 2 },
    },
    { key: "memory", label: "memory per reader, KB", digits: 0, better: "lower" },
  ],
  mostRounds: Infinity,
  async warmUp(target) {
    await runOpenLoop(target, 1000, 1);
  },
  measure,
};

async function measure(target: Target, { rate, seconds }: Options): Promise<Sample> {
  const { port, process } = target;
  const before = await runOpenLoop(target, rate, seconds);
  const memory = memoryBytes(process.pid, "Anonymous", "all");
  using slow = new OwnProgram("reader-client.ts", [port, count]);
  await slow.next();
  await Bun.sleep(settleMs);
  const during = await runOpenLoop(target, rate, seconds);
  const more = memoryBytes(process.pid, "Anonymous", "all") - memory;
  await slow.finish();
  const lost = count - Number(await slow.next());
  return {
    figures: { before: before.p99, during: during.p99, times: during.p99 / before.p99, memory: more / count / 1000 },
    errors: [...before.errors, ...during.errors, ...(lost > 0 ? [`${lost} of the readers were closed`] : [])],
  };
}
