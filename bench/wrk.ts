import { join } from "node:path";
import { z } from "zod";
import { startTool } from "./processes.ts";
import { cpuSeconds, type CpuSeconds } from "./proc.ts";
import { findProgram, outputOf } from "./programs.ts";
import type { Target } from "./target.ts";

/** How to get wrk on Debian. */
export const wrkInstall = "wrk is not installed (Debian: apt-get install wrk)";

/** How long a fresh process is warmed up: by then the code that its compiler is to make fast is made (docs/decisions/0008). */
export const warmUpSeconds = 3;

/** A closed-loop load: every connection sends its next request as soon as the last response is in. */
export interface Load {
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers: readonly string[];
}

/** What wrk and the processor clock of the proxy say of one load. */
export interface LoadResult {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpu: CpuSeconds;
  /** What went wrong, counted by kind; empty when nothing did. */
  readonly errors: readonly string[];
}

/** wrk's version, undefined when it is not there. */
export function wrkVersion(): string | undefined {
  const program = findProgram("wrk");
  return program === undefined ? undefined : /\d+\.\d+\.\d+/.exec(outputOf([program, "-v"]))?.[0];
}

/** Runs wrk against a proxy and reads the proxy's processor time before and after. */
export async function runWrk(target: Target, load: Load): Promise<LoadResult> {
  const { path, connections, seconds, headers } = load;
  const command = [
    findProgram("wrk") ?? "wrk",
    "--threads=1",
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    "--timeout=10s",
    `--script=${join(import.meta.dir, "wrk.lua")}`,
    ...headers.flatMap((header) => ["--header", header]),
    `http://127.0.0.1:${target.port}${path}`,
  ];
  const before = cpuSeconds(target.process.pid);
  const child = startTool(command);
  const [text, complaint] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const after = cpuSeconds(target.process.pid);
  if (target.process.ended) throw new Error(`it ended under load:\n${target.process.lastWords()}`);
  const summary = readSummary(text);
  if (summary === undefined) throw new Error(`wrk failed: ${complaint.trim() || text.trim()}`);
  const kinds = ["connect", "read", "write", "status", "timeout"] as const;
  const errors = kinds.filter((kind) => summary[kind] > 0).map((kind) => `${summary[kind]} ${kind} errors`);
  if (summary.requests === 0) errors.push("no response at all");
  return {
    requests: summary.requests,
    bytes: summary.bytes,
    seconds: summary.microseconds / 1e6,
    cpu: {
      all: after.all - before.all,
      kernel: after.kernel - before.kernel,
      workers: after.workers - before.workers,
    },
    errors,
  };
}

const summaryForm = z.object({
  requests: z.number(),
  bytes: z.number(),
  microseconds: z.number(),
  connect: z.number(),
  read: z.number(),
  write: z.number(),
  status: z.number(),
  timeout: z.number(),
});

function readSummary(text: string): z.infer<typeof summaryForm> | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith("{"));
  return line === undefined ? undefined : summaryForm.parse(JSON.parse(line));
}
