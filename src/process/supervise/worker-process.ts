import type { Placement } from "../../engine/placement.ts";
import { type ErrorCode, WeirError } from "../../errors.ts";
import { closeDescriptor, descriptorChannel, sendDescriptors } from "../../net/pass-descriptors.ts";
import type { Log } from "../../observe/log.ts";
import type { Level } from "../events.ts";
import type { Identity } from "../identity.ts";
import {
  fromWorker,
  type FromWorker,
  type Inherited,
  type PlannedParts,
  type Sent,
  type ToWorker,
} from "../messages.ts";
import { PartsOf } from "../parts/parts-of-worker.ts";
import type { PartId } from "../parts/manifest.ts";
import type { PlanParts } from "../parts/plan-parts.ts";
import type { ManifestedPlan } from "../parts/plan-store.ts";
import { byNews } from "../parts/same-as-before.ts";
import { startedAsUsual } from "./time-slice.ts";
import { workerCommand } from "../worker-command.ts";

/** What a worker gets. */
export interface WorkerSetup {
  readonly parts: PlanParts;
  readonly parted: ManifestedPlan;
  readonly placement: Placement;
  readonly worker: number;
  /** Of the counters: where it alone writes. */
  readonly section: number;
  readonly workers: number;
  /** Who the worker is to be; `null` for the same as this process. */
  readonly identity: Identity | null;
  /** Open here; the worker inherits it. */
  readonly countersFd: number;
  /** For each listener, the listening socket open here that the worker inherits, or how it comes to one. */
  readonly listeners: readonly Inherited[];
}

/** Who is told of what a worker says by itself. */
export interface WorkerEars {
  /** It has something to say of a backend's health. */
  alarmed(): void;
  /** A line of its log that others should hear of. */
  happened(level: Level, event: string, fields: Parameters<Log["info"]>[1]): void;
}

/** A listener that the worker is to have from the next plan on. */
export interface ListenerToSend {
  readonly position: number;
  readonly from: Sent;
  /** Open here; sent along. */
  readonly fd: number | null;
}

/** How a worker ended. */
export interface Death {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A worker of this version is ready within a fraction of a second; a machine may be very busy. */
const START_TIMEOUT_MS = 30_000;
/** A worker that has not answered for so long hangs: what it is asked takes milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;
/** How long a plan may take to be made ready, in slices between a worker's clients, while it answers. */
const PATIENCE_MS = 120_000;
const LOOK_MS = 1000;
/** Inherited file descriptors begin after stdin, stdout and stderr. */
const FIRST_INHERITED = 3;

/** Each kind of message that is answered, without its number. */
type Asking = ToWorker extends infer M ? (M extends { readonly id: number } ? Omit<M, "id"> : never) : never;

/** A worker process, as the supervisor sees it. */
export class WorkerProcess {
  /** Fulfilled when the worker accepts. Rejected with WORKER_FAILED or the worker's own error when it cannot. */
  readonly ready: Promise<void>;
  /** Fulfilled when the process is gone. */
  readonly exited: Promise<Death>;
  /** Connections that had to be closed by its drain; 0 before. */
  closed = 0;
  readonly #worker: number;
  readonly #child: Bun.Subprocess;
  readonly #parts: PartsOf;
  readonly #channel: number | null;
  readonly #ears: WorkerEars;
  readonly #ready: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #exited: PromiseWithResolvers<Death> = Promise.withResolvers<Death>();
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #next = 1;
  /** What it was told. */
  #inForce: PlannedParts;
  #prepared: PlannedParts;
  /** How the process has ended, in words; `null` while it lives. */
  #end: string | null = null;

  constructor(setup: WorkerSetup, ears: WorkerEars) {
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever asks later still sees it
    this.exited = this.#exited.promise;
    this.#worker = setup.worker;
    this.#ears = ears;
    this.#parts = new PartsOf(setup.parts);
    this.#inForce = { manifest: setup.parted.manifest, placement: setup.placement };
    this.#prepared = this.#inForce;
    const { cmd, env, argv0 } = workerCommand(setup.worker);
    const channel = descriptorChannel();
    this.#channel = channel?.own ?? null;
    const inherited = channel === null ? [setup.countersFd] : [setup.countersFd, channel.other];
    const listeners = setup.listeners.map((listener): Inherited => {
      if (listener.kind !== "socket") return listener;
      inherited.push(listener.fd);
      return { kind: "socket", fd: FIRST_INHERITED + inherited.length - 1 };
    });
    try {
      this.#child = startedAsUsual(() =>
        Bun.spawn([...cmd], {
          env,
          argv0,
          // Becomes that user before the program begins; the runtime leaves all other groups too.
          ...setup.identity,
          stdio: ["ignore", "inherit", "inherit", ...inherited],
          serialization: "json",
          ipc: (message: unknown) => this.#receive(fromWorker(message)),
          onExit: (_child, exitCode, signal) =>
            this.#ended({ exitCode, signal: signal === null ? null : String(signal) }),
        }),
      );
    } catch (error) {
      if (channel !== null) closeDescriptor(channel.own);
      throw error;
    } finally {
      if (channel !== null) closeDescriptor(channel.other);
    }
    const late = setTimeout(() => {
      this.#ready.reject(
        new WeirError("WORKER_FAILED", `worker ${setup.worker} was not ready within ${START_TIMEOUT_MS / 1000} s`),
      );
      this.kill();
    }, START_TIMEOUT_MS);
    this.ready.catch(() => {}).finally(() => clearTimeout(late));
    void this.#configure(setup, listeners, channel === null ? null : FIRST_INHERITED + 1);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether the process has ended. */
  get gone(): boolean {
    return this.#end !== null;
  }

  /**
   * Has it make a plan ready beside the one in force. It serves its clients meanwhile.
   * @throws what keeps it from it; WORKER_FAILED where it is gone or does not answer
   */
  async prepare(next: ManifestedPlan, placement: Placement, listeners: readonly ListenerToSend[]): Promise<void> {
    await this.#sendParts();
    const fds = listeners.map(({ fd }) => fd).filter((fd) => fd !== null);
    if (fds.length > 0 && (this.#channel === null || !sendDescriptors(this.#channel, fds)))
      throw new WeirError("WORKER_FAILED", `worker ${this.#worker} cannot be sent a listening socket`);
    const places = listeners.map(({ position, from }) => ({ position, from }));
    const { manifest, placement: before } = this.#inForce;
    const planned = {
      manifest: {
        ...next.manifest,
        listeners: byNews(next.manifest.listeners, manifest.listeners),
        pools: byNews(next.manifest.pools, manifest.pools),
      },
      placement: { ...placement, backends: byNews(placement.backends, before.backends) },
    };
    this.#prepared = { manifest: next.manifest, placement };
    await this.#whileAlive(this.#request({ kind: "prepare", ...planned, listeners: places }, PATIENCE_MS));
  }

  /**
   * Has it put in force what it has prepared.
   * @throws what keeps it from it; WORKER_FAILED where it is gone or does not answer
   */
  async commit(): Promise<void> {
    await this.#request({ kind: "commit" });
    this.#inForce = this.#prepared;
  }

  /** Has it forget what it has prepared. */
  abandon(): void {
    this.#send({ kind: "abandon" });
  }

  /** Has it forget parts that no plan has any more; one that starts, when it has all. */
  forget(gone: readonly PartId[]): void {
    const tell = (): void => {
      const parts = this.#parts.of(gone);
      if (parts.length > 0) this.#send({ kind: "forget", parts });
    };
    this.ready.then(tell, () => {});
  }

  /** Asks it one of `questions/`. @throws WORKER_FAILED, or the error of the question */
  ask(question: string, argument: unknown): Promise<unknown> {
    return this.#request({ kind: "ask", question, argument });
  }

  /** Asks it to take no new work, finish what is open, and end. */
  drain(timeoutMs: number): void {
    this.#send({ kind: "drain", timeoutMs });
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #configure(setup: WorkerSetup, listeners: readonly Inherited[], channelFd: number | null): Promise<void> {
    const { manifest } = setup.parted;
    const { placement, worker, section, workers, identity } = setup;
    try {
      await this.#sendParts(START_TIMEOUT_MS);
    } catch (error) {
      this.#ready.reject(error);
      return;
    }
    this.#send({
      kind: "configure",
      manifest,
      placement,
      worker,
      section,
      workers,
      countersFd: FIRST_INHERITED,
      channelFd,
      identity,
      listeners,
    });
  }

  /** One after another, so that it serves its clients in between. */
  async #sendParts(timeoutMs?: number): Promise<void> {
    for (const parts of this.#parts.missing()) {
      await this.#request({ kind: "parts", parts }, timeoutMs);
      this.#parts.took(parts);
    }
  }

  /** Waits for what may take long where the processor is busy, as long as the worker answers other things meanwhile. */
  async #whileAlive(work: Promise<unknown>): Promise<void> {
    const done = work.then(() => "done" as const);
    for (;;) {
      if ((await Promise.race([done, Bun.sleep(LOOK_MS)])) === "done") return;
      const alive = this.#request({ kind: "ask", question: "connections", argument: null });
      if ((await Promise.race([done, alive])) === "done") return;
    }
  }

  #request(message: Asking, timeoutMs = ANSWER_TIMEOUT_MS): Promise<unknown> {
    if (this.#end !== null) return Promise.reject(this.#failed(this.#end));
    const id = this.#next++;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    const late = setTimeout(() => asked.reject(this.#failed("does not answer")), timeoutMs);
    this.#send({ ...message, id });
    return asked.promise.finally(() => {
      clearTimeout(late);
      this.#asked.delete(id);
    });
  }

  #send(message: ToWorker): void {
    try {
      this.#child.send(message);
    } catch {
      // It is gone; `exited` tells.
    }
  }

  #failed(what: string): WeirError {
    return new WeirError("WORKER_FAILED", `worker ${this.#worker} ${what}`);
  }

  #ended(death: Death): void {
    this.#end = deathText(death);
    if (this.#channel !== null) closeDescriptor(this.#channel);
    this.#ready.reject(this.#failed(`${this.#end} while it started`));
    for (const asked of this.#asked.values()) asked.reject(this.#failed(this.#end));
    this.#exited.resolve(death);
  }

  #receive(message: FromWorker | null): void {
    switch (message?.kind) {
      case "alarm":
        this.#ears.alarmed();
        break;
      case "ready":
        this.#ready.resolve();
        break;
      case "failed":
        this.#ready.reject(new WeirError(message.code, message.detail));
        break;
      case "answer":
        this.#asked.get(message.id)?.resolve(message.answer);
        break;
      case "refusal":
        this.#asked.get(message.id)?.reject(this.#refused(message.code, message.detail));
        break;
      case "event":
        this.#ears.happened(message.level, message.event, { ...message.fields, worker: this.#worker });
        break;
      case "drained":
        this.closed = message.closed;
        break;
      case undefined:
        break;
    }
  }

  #refused(code: ErrorCode, detail: string): WeirError {
    return new WeirError(code, `worker ${this.#worker}: ${detail}`);
  }
}

/** How a worker ended, in words: `was killed by SIGKILL`, `exited with status 1`. */
export function deathText({ exitCode, signal }: Death): string {
  return signal === null ? `exited with status ${exitCode}` : `was killed by ${signal}`;
}
