import { linesOf, startProgram } from "./child.ts";

/** A backend that can be killed, started again on its port, stopped and continued. */
export class BackendProcess implements AsyncDisposable {
  readonly port: number;
  readonly #program: string;
  #child: Bun.Subprocess;

  private constructor(program: string, port: number, child: Bun.Subprocess) {
    this.#program = program;
    this.port = port;
    this.#child = child;
  }

  /** @param program of this folder */
  static async start(program = "backend.ts"): Promise<BackendProcess> {
    const { port, child } = await listening(program, 0);
    return new BackendProcess(program, port, child);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async startAgain(): Promise<void> {
    this.#child = (await listening(this.#program, this.port)).child;
  }

  /** It keeps its sockets, and the system goes on to accept for it. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

async function listening(
  program: string,
  wanted: number,
): Promise<{ readonly port: number; readonly child: Bun.Subprocess }> {
  const child = startProgram(program, [wanted]);
  for await (const line of linesOf(child.stdout)) {
    const port = /^listening (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return { port: Number(port), child };
  }
  throw new Error(`a backend did not start on port ${wanted}`);
}
