import { fileURLToPath } from "node:url";

/** A program and how to call it so that it becomes a worker. */
export interface WorkerCommand {
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `ps` shows as the program's name. */
  readonly argv0: string;
}

// In a single binary (`bun build --compile`) modules live in a virtual folder and the binary itself is the program.
const SINGLE_BINARY = import.meta.url.includes("/$bunfs/") || import.meta.url.includes("~BUN");

/** The command that starts a worker: this very program with its hidden command `worker`. */
export function workerCommand(worker: number): WorkerCommand {
  const main = SINGLE_BINARY ? [] : [...process.execArgv, fileURLToPath(new URL("../cli/main.ts", import.meta.url))];
  return {
    cmd: [process.execPath, ...main, "worker"],
    // The runtime then asks the system to end the process with its parent (PR_SET_PDEATHSIG on Linux), which holds even
    // when it is too busy to hear that the supervisor is gone.
    env: { ...process.env, BUN_FEATURE_FLAG_NO_ORPHANS: "1" },
    argv0: `weir-worker-${worker}`,
  };
}
