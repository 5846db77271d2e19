import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A program and how to call it. */
export interface OwnCommand {
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How to call this program so that it becomes a worker. */
export interface WorkerCommand extends OwnCommand {
  /** What `ps` shows as the program's name. */
  readonly argv0: string;
}

// In a single binary (`bun build --compile`) modules live in a virtual folder and the binary itself is the program.
const SINGLE_BINARY = import.meta.url.includes("/$bunfs/") || import.meta.url.includes("~BUN");

/** `bin/weir` leaves out the compiler for code that runs for long, whose threads would only be in the way of workers. In those it pays. */
const COMPILED = { BUN_JSC_useFTLJIT: "1" } as const;

/** The command that starts a worker: this very program with its hidden command `worker`. */
export function workerCommand(worker: number): WorkerCommand {
  const { cmd, env } = ownCommand(["worker"]);
  return { cmd, env: { ...env, ...COMPILED }, argv0: `weir-worker-${worker}` };
}

/** This very program with other arguments, for a process that is not to outlive this one. */
export function ownCommand(args: readonly string[]): OwnCommand {
  const main = SINGLE_BINARY ? [] : [...process.execArgv, fileURLToPath(new URL("../cli/main.ts", import.meta.url))];
  return {
    cmd: [process.execPath, ...main, ...args],
    // The runtime then asks the system to end the process with its parent (PR_SET_PDEATHSIG on Linux), which holds even
    // when it is too busy to hear that the supervisor is gone.
    env: { ...process.env, BUN_FEATURE_FLAG_NO_ORPHANS: "1" },
  };
}

/**
 * The program that takes this one's place, with the same arguments: what is installed there now, with the runtime that is installed beside it
 * now. It outlives this process.
 */
export function successorCommand(): OwnCommand {
  const args = process.argv.slice(2);
  if (SINGLE_BINARY) return { cmd: [process.execPath, ...args], env: process.env };
  const program = fileURLToPath(new URL("../../bin/weir", import.meta.url));
  if (existsSync(program)) return { cmd: [program, ...args], env: process.env };
  return { ...ownCommand(args), env: process.env };
}
