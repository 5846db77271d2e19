import { largeBytes } from "../backends.ts";
import type { Options } from "../options.ts";
import type { Goal, Sample, Scenario } from "../scenario.ts";
import type { Target } from "../target.ts";
import { runWrk, warmUpSeconds } from "../wrk.ts";

const load = { path: "/large", connections: 16, headers: [] };

/** 10 MiB responses, every proxy with its own defaults. */
export const large: Scenario = largeScenario(false);

/** 10 MiB responses, HAProxy and nginx set up for them. */
export const largeTuned: Scenario = largeScenario(true);

function largeScenario(largeBuffers: boolean): Scenario {
  const goal: Goal = { of: "ratio", is: "at least", value: 1.0 };
  return {
    name: largeBuffers ? "large-tuned" : "large",
    title: `HTTP, 10 MiB responses, 16 connections${largeBuffers ? ", HAProxy and nginx with 64 KiB buffers" : ""}`,
    mode: "http",
    largeBuffers,
    needsWrk: true,
    figures: [
      { key: "throughput", label: "throughput, GB/s", digits: 2, better: "higher", ...(largeBuffers ? {} : { goal }) },
      { key: "cpu", label: "CPU per GB, ms", digits: 0, better: "lower" },
      { key: "cpuKernel", label: "… of which in the kernel, ms", digits: 0, better: "lower" },
      { key: "core", label: "its core in use, %", digits: 0, better: "neither" },
    ],
    mostRounds: Infinity,
    async warmUp(target) {
      await runWrk(target, { ...load, seconds: warmUpSeconds });
    },
    measure,
  };
}

async function measure(target: Target, { seconds }: Options): Promise<Sample> {
  const result = await runWrk(target, { ...load, seconds });
  const gigabytes = result.bytes / 1e9;
  const short = result.bytes < result.requests * largeBytes ? ["fewer bytes than the responses have"] : [];
  return {
    figures: {
      throughput: gigabytes / result.seconds,
      cpu: (result.cpu.all / gigabytes) * 1000,
      cpuKernel: (result.cpu.kernel / gigabytes) * 1000,
      core: (result.cpu.all / result.seconds) * 100,
    },
    errors: [...result.errors, ...short],
  };
}
