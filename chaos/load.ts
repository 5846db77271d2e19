import { linesOf, startProgram } from "./child.ts";
import type { Tally } from "./tally.ts";

/** How long right answers are waited for. */
const PATIENCE_MS = 60_000;

/** The clients, in a process of their own, which ask all the time. */
export class Load implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #over: Promise<void>;
  #tallies: readonly Tally[] = [];
  #current = 0;

  constructor(port: number, lanes: number) {
    this.#child = startProgram("client.ts", [port, lanes]);
    this.#over = this.#listen();
  }

  /** Requests that begin from now on belong to a new tally. */
  next(): void {
    this.#current += 1;
    void this.#child.stdin.write("next\n");
    void this.#child.stdin.flush();
  }

  /** Waits until so many more requests of the current tally have been answered right. @throws when they are not */
  async answered(more: number): Promise<void> {
    const wanted = this.#right() + more;
    const deadline = performance.now() + PATIENCE_MS;
    while (this.#right() < wanted) {
      if (performance.now() > deadline) throw new Error(`no ${more} right answers in ${PATIENCE_MS / 1000} s`);
      await Bun.sleep(10);
    }
  }

  /** Ends the load. @returns its tallies once each request was answered or has failed */
  async end(): Promise<readonly Tally[]> {
    void this.#child.stdin.end();
    await this.#over;
    return this.#tallies;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  #right(): number {
    const tally = this.#tallies[this.#current];
    return tally === undefined ? 0 : tally.idempotent.right + tally.other.right;
  }

  async #listen(): Promise<void> {
    for await (const line of linesOf(this.#child.stdout)) this.#tallies = JSON.parse(line) as Tally[];
  }
}
