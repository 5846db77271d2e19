import { linesOf, startProgram } from "../child.ts";
import { noTraffic, type TrafficTally } from "./traffic.ts";

const PATIENCE_MS = 60_000;

/** All kinds of clients, in a process of their own, which ask all the time. */
export class Traffic implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #over: Promise<void>;
  #tally: TrafficTally = noTraffic();

  constructor(port: number) {
    this.#child = startProgram("changes/client.ts", [port]);
    this.#over = this.#listen();
  }

  get tally(): TrafficTally {
    return this.#tally;
  }

  /** Waits until each kind has been answered so many more times. @throws when it is not */
  async answered(more: number): Promise<void> {
    const wanted = Object.values(this.#tally.kinds).map(({ right }) => right + more);
    const deadline = performance.now() + PATIENCE_MS;
    while (Object.values(this.#tally.kinds).some(({ right }, i) => right < (wanted[i] ?? 0))) {
      if (performance.now() > deadline) throw new Error(`not all kinds were answered: ${JSON.stringify(this.#tally)}`);
      await Bun.sleep(10);
    }
  }

  /** Ends the load. @returns its tally once each request was answered or has failed */
  async end(): Promise<TrafficTally> {
    void this.#child.stdin.end();
    await this.#over;
    return this.#tally;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #listen(): Promise<void> {
    for await (const line of linesOf(this.#child.stdout)) this.#tally = JSON.parse(line) as TrafficTally;
  }
}
