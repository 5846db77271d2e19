import { join } from "node:path";
import { startTool, type Tool } from "./processes.ts";

/** One of the bench's own load programs on the load core; it ends when its standard input does. */
export class OwnProgram implements Disposable {
  readonly #tool: Tool;
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #decoder: TextDecoder = new TextDecoder();

  /** Starts the file beside this one with numbers as its arguments. */
  constructor(file: string, args: readonly number[]) {
    this.#tool = startTool([process.execPath, join(import.meta.dir, file), ...args.map(String)]);
    this.#output = this.#tool.stdout[Symbol.asyncIterator]();
  }

  /** The next thing that it prints; throws when it ends instead. */
  async next(): Promise<string> {
    const read = await this.#output.next();
    if (read.done !== true) return this.#decoder.decode(read.value);
    throw new Error(`a load program failed: ${(await this.#tool.stderr.text()).trim()}`);
  }

  /** Ends its standard input, which asks it to report and end. */
  async finish(): Promise<void> {
    await this.#tool.stdin.end();
  }

  [Symbol.dispose](): void {
    this.#tool.kill();
  }
}
