import { memoryBytes } from "../proc.ts";
import type { Scenario } from "../scenario.ts";

/** Time for the start to be over. */
const settleMs = 1000;

/** Memory of a worker that has just started. */
export const rss: Scenario = {
  name: "rss",
  title: "Memory of a fresh worker",
  mode: "http",
  largeBuffers: false,
  needsWrk: false,
  mostRounds: 1,
  warmUp: null,
  figures: [
    {
      key: "worker",
      label: "RSS of the worker, MB",
      digits: 1,
      better: "lower",
      goal: { of: "figure", is: "at most", value: 60 },
    },
    { key: "private", label: "… of which its own (anonymous), MB", digits: 1, better: "lower" },
    { key: "all", label: "RSS of all its processes, MB", digits: 1, better: "lower" },
  ],
  async measure({ process: { pid } }) {
    await Bun.sleep(settleMs);
    return {
      figures: {
        worker: memoryBytes(pid, "Rss", "workers") / 1e6,
        private: memoryBytes(pid, "Anonymous", "workers") / 1e6,
        all: memoryBytes(pid, "Rss", "all") / 1e6,
      },
      errors: [],
    };
  },
};
