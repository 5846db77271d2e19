import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./programs.ts";
import { processTree, sameProcess, type ProcessStat } from "./proc.ts";

/** The core that the proxy under test has to itself. */
export const proxyCore = 0;
/** The core of the load generator and the backends. */
export const loadCore = 1;

/** How long a process may take to end when asked, before it is killed. */
const endMs = 3000;

const running = new Set<Started>();
const tools = new Set<Tool>();
let stopping = false;

/** A load program of the bench: short-lived, without children. */
export type Tool = Bun.Subprocess<"pipe", "pipe", "pipe">;

/** A process started by the bench, ended with all its descendants when disposed of. */
export class Started implements AsyncDisposable {
  readonly name: string;
  readonly #child: Bun.Subprocess;
  readonly #log: string;

  constructor(name: string, command: readonly string[], core: number, folder: string) {
    this.name = name;
    this.#log = join(folder, `${name}.log`);
    const output = Bun.file(this.#log);
    this.#child = Bun.spawn([...pinned(command, core)], { cwd: root, stdin: "ignore", stdout: output, stderr: output });
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** True once the process itself has ended. */
  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The last lines that it wrote, for the message about a failed start. */
  lastWords(): string {
    return readFileSync(this.#log, "utf8").trim().split("\n").slice(-5).join("\n");
  }

  /** Asks the process to end; kills what is left of its tree by id after a while. */
  async end(): Promise<void> {
    if (!running.delete(this)) return;
    const tree = processTree(this.pid);
    this.#child.kill("SIGTERM");
    await Promise.race([this.#child.exited, Bun.sleep(endMs)]);
    if (!this.ended) this.#child.kill("SIGKILL");
    await this.#child.exited;
    for (const member of tree) killLeftOver(member);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Starts a load program on the load core. */
export function startTool(command: readonly string[]): Tool {
  const tool = Bun.spawn([...pinned(command, loadCore)], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  tools.add(tool);
  void tool.exited.then(() => tools.delete(tool));
  return tool;
}

/** True once `endAll` was called: failures from then on mean nothing. */
export function isEnding(): boolean {
  return stopping;
}

/** Ends every process that the bench has started and lets no more start. */
export async function endAll(): Promise<void> {
  stopping = true;
  for (const tool of tools) tool.kill("SIGKILL");
  await Promise.all([...running].map((started) => started.end()));
}

function pinned(command: readonly string[], core: number): readonly string[] {
  if (stopping) throw new Error("the bench is ending");
  return ["taskset", "-c", String(core), ...command];
}

function killLeftOver(member: ProcessStat): void {
  if (!sameProcess(member)) return;
  try {
    process.kill(member.pid, "SIGKILL");
  } catch {
    // It ended by itself in between.
  }
}
