import type { Plan } from "../plan.ts";
import { WeirError } from "../errors.ts";
import type { Identity } from "./identity.ts";
import { fromWorker, type FromWorker, type Inherited, type ToWorker } from "./messages.ts";
import { workerCommand } from "./worker-command.ts";

/** What a worker gets. */
export interface WorkerSetup {
  readonly plan: Plan;
  readonly worker: number;
  readonly workers: number;
  /** Who the worker is to be; `null` for the same as this process. */
  readonly identity: Identity | null;
  /** Open here; the worker inherits it. */
  readonly countersFd: number;
  /** For each listener, the listening socket open here that the worker inherits, or how it comes to one. */
  readonly listeners: readonly Inherited[];
}

/** How a worker ended. */
export interface Death {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A worker of this version is ready within a fraction of a second; a machine may be very busy. */
const START_TIMEOUT_MS = 30_000;

/** Inherited file descriptors begin after stdin, stdout and stderr. */
const FIRST_INHERITED = 3;

/** A worker process, as the supervisor sees it. */
export class WorkerProcess {
  /** Fulfilled when the worker accepts. Rejected with WORKER_FAILED or the worker's own error when it cannot. */
  readonly ready: Promise<void>;
  /** Fulfilled when the process is gone. */
  readonly exited: Promise<Death>;
  /** Connections that had to be closed by its drain; 0 before. */
  closed = 0;
  readonly #child: Bun.Subprocess;
  readonly #ready: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #exited: PromiseWithResolvers<Death> = Promise.withResolvers<Death>();

  /** @param alarmed told when the worker has something to say of a backend's health */
  constructor(setup: WorkerSetup, alarmed: () => void) {
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever asks later still sees it
    this.exited = this.#exited.promise;
    const { cmd, env, argv0 } = workerCommand(setup.worker);
    const inherited = [setup.countersFd];
    const listeners = setup.listeners.map((listener): Inherited => {
      if (listener.kind !== "socket") return listener;
      inherited.push(listener.fd);
      return { kind: "socket", fd: FIRST_INHERITED + inherited.length - 1 };
    });
    this.#child = Bun.spawn([...cmd], {
      env,
      argv0,
      // Becomes that user before the program begins; the runtime leaves all other groups too.
      ...setup.identity,
      stdio: ["ignore", "inherit", "inherit", ...inherited],
      serialization: "json",
      ipc: (message: unknown) => this.#receive(fromWorker(message), alarmed),
      onExit: (_child, exitCode, signal) => {
        const death = { exitCode, signal: signal === null ? null : String(signal) };
        this.#ready.reject(
          new WeirError("WORKER_FAILED", `worker ${setup.worker} ${deathText(death)} while it started`),
        );
        this.#exited.resolve(death);
      },
    });
    const late = setTimeout(() => {
      const seconds = START_TIMEOUT_MS / 1000;
      this.#ready.reject(new WeirError("WORKER_FAILED", `worker ${setup.worker} was not ready within ${seconds} s`));
      this.kill();
    }, START_TIMEOUT_MS);
    this.ready.catch(() => {}).finally(() => clearTimeout(late));
    const { plan, worker, workers, identity } = setup;
    this.#send({ kind: "configure", plan, worker, workers, countersFd: FIRST_INHERITED, identity, listeners });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Asks it to take no new work, finish what is open, and end. */
  drain(timeoutMs: number): void {
    this.#send({ kind: "drain", timeoutMs });
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #send(message: ToWorker): void {
    try {
      this.#child.send(message);
    } catch {
      // It is gone; `exited` tells.
    }
  }

  #receive(message: FromWorker | null, alarmed: () => void): void {
    switch (message?.kind) {
      case "alarm":
        alarmed();
        break;
      case "ready":
        this.#ready.resolve();
        break;
      case "failed":
        this.#ready.reject(new WeirError(message.code, message.detail));
        break;
      case "drained":
        this.closed = message.closed;
        break;
      case undefined:
        break;
    }
  }
}

/** How a worker ended, in words: `was killed by SIGKILL`, `exited with status 1`. */
export function deathText({ exitCode, signal }: Death): string {
  return signal === null ? `exited with status ${exitCode}` : `was killed by ${signal}`;
}
