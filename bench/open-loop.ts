import { z } from "zod";
import { OwnProgram } from "./own-program.ts";
import type { Target } from "./target.ts";

/** Latencies in milliseconds at a fixed rate, counted from when each request was due. */
export interface OpenLoopResult {
  readonly p50: number;
  readonly p99: number;
  readonly errors: readonly string[];
}

const printed = z.object({ p50: z.number(), p99: z.number(), reached: z.number(), errors: z.number() });

/**
 * Sends `rate` requests a second over 64 connections whatever the proxy does.
 *
 * An own client, because wrk has no fixed rate, wrk2 is not in Debian, and h2load starts a request's clock when it
 * sends it (so it hides stalls) and prints no percentiles.
 */
export async function runOpenLoop(target: Target, rate: number, seconds: number): Promise<OpenLoopResult> {
  using client = new OwnProgram("open-loop-client.ts", [target.port, rate, seconds, 64]);
  const { p50, p99, reached, errors } = printed.parse(JSON.parse(await client.next()));
  const said: string[] = [];
  if (errors > 0) said.push(`${errors} errors at the fixed rate`);
  if (reached < rate * 0.98) said.push(`only ${Math.round(reached)} of ${rate} requests/s were answered`);
  return { p50, p99, errors: said };
}
