import { runOpenLoop } from "../open-loop.ts";
import type { Figure, Goal, Sample, Scenario } from "../scenario.ts";
import { runWrk, warmUpSeconds, type Load, type LoadResult } from "../wrk.ts";

const keepAlive = { path: "/", connections: 64, headers: [] };
const newEachTime = { ...keepAlive, headers: ["Connection: close"] };

/** HTTP keep-alive, small responses. */
export const http: Scenario = smallScenario("http", "HTTP, keep-alive, small responses, 64 connections", 1.0);

/** The same load with an access log in JSON to a file, in each proxy. */
export const httpLog: Scenario = {
  ...smallScenario("http", "HTTP, keep-alive, small responses, 64 connections, access log in JSON", 1.0),
  name: "http-log",
  accessLog: true,
};

/** The same load through TCP mode. */
export const tcp: Scenario = smallScenario("tcp", "TCP mode, keep-alive, small responses, 64 connections", 1.1);

/** A new client connection for each request. */
export const connect: Scenario = {
  name: "connect",
  title: "HTTP, a new connection for each request, 64 at a time",
  mode: "http",
  largeBuffers: false,
  needsWrk: true,
  figures: requestFigures({ of: "ratio", is: "at most", value: 1.2 }),
  mostRounds: Infinity,
  async warmUp(target) {
    await runWrk(target, withSeconds(newEachTime, warmUpSeconds));
  },
  async measure(target, options) {
    return requestSample(await runWrk(target, withSeconds(newEachTime, options.seconds)));
  },
};

function smallScenario(mode: "http" | "tcp", title: string, cpuRatio: number): Scenario {
  return {
    name: mode,
    title,
    mode,
    largeBuffers: false,
    needsWrk: true,
    figures: [
      ...requestFigures({ of: "ratio", is: "at most", value: cpuRatio }),
      { key: "p50", label: "p50 at the fixed rate, ms", digits: 2, better: "lower" },
      { key: "p99", label: "p99 at the fixed rate, ms", digits: 2, better: "lower" },
    ],
    mostRounds: Infinity,
    async warmUp(target) {
      await runWrk(target, withSeconds(keepAlive, warmUpSeconds));
    },
    async measure(target, options) {
      const closed = requestSample(await runWrk(target, withSeconds(keepAlive, options.seconds)));
      const { p50, p99, errors } = await runOpenLoop(target, options.rate, options.seconds);
      return { figures: { ...closed.figures, p50, p99 }, errors: [...closed.errors, ...errors] };
    },
  };
}

function withSeconds(load: Omit<Load, "seconds">, seconds: number): Load {
  return { ...load, seconds };
}

function requestFigures(goal: Goal): readonly Figure[] {
  return [
    { key: "cpu", label: "CPU per request, µs", digits: 1, better: "lower", goal },
    { key: "cpuKernel", label: "… of which in the kernel, µs", digits: 1, better: "lower" },
    { key: "cpuWorkers", label: "… of the worker alone, µs", digits: 1, better: "lower" },
    { key: "rate", label: "requests per second", digits: 0, better: "higher" },
    { key: "core", label: "its core in use, %", digits: 0, better: "neither" },
  ];
}

function requestSample({ requests, seconds, cpu, errors }: LoadResult): Sample {
  const figures = {
    cpu: (cpu.all / requests) * 1e6,
    cpuKernel: (cpu.kernel / requests) * 1e6,
    cpuWorkers: (cpu.workers / requests) * 1e6,
    rate: requests / seconds,
    core: (cpu.all / seconds) * 100,
  };
  return { figures, errors };
}
