import type { Clock } from "../clock.ts";
import type { Plan } from "../plan.ts";
import { sharedStateBytes, sharedStateOver } from "../engine/shared-state.ts";
import { WeirError } from "../errors.ts";
import { formatAddress } from "../address.ts";
import { mostClients } from "../engine/entrances.ts";
import { raiseDescriptorLimit } from "../net/descriptors.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import { afterDeath, type Backoff, fresh } from "./backoff.ts";
import { withSecrets } from "./affinity-secret.ts";
import { keepHealth, type KeptHealth } from "./health.ts";
import { type Identity, isRoot, workerIdentity } from "./identity.ts";
import { createSharedMemory, type SharedMemory } from "./shared-memory.ts";
import { type HeldSockets, holdSockets } from "./sockets.ts";
import { type Death, deathText, WorkerProcess } from "./worker-process.ts";

/** What a supervisor needs from outside. */
export interface SupervisorOptions {
  readonly plan: Plan;
  readonly log: Log;
  readonly clock: Clock;
  /** Gives up a start that is under way; `start` then throws its reason. */
  readonly signal?: AbortSignal;
}

/** What a worker that has ended its drain, or has missed its end, may still take before it is killed. */
const DRAIN_GRACE_MS = 2000;

/** The place of one worker: who fills it changes, its number, sockets and counters stay. */
interface Seat {
  readonly worker: number;
  process: WorkerProcess;
  startedAt: number;
  /** Whether its process has been ready and lives. */
  accepting: boolean;
  backoff: Backoff;
  /** Set while it waits to be filled again. */
  timer: ReturnType<typeof setTimeout> | null;
}

type Phase = "starting" | "running" | "draining" | "stopped";

/** Holds the listening sockets and the counters, and keeps a worker in every seat. It never touches a client's byte. */
export class Supervisor {
  /** The plan in force, with the addresses that were bound. */
  readonly plan: Plan;
  readonly counters: Counters;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #sockets: HeldSockets;
  readonly #identity: Identity | null;
  readonly #memory: SharedMemory;
  readonly #health: KeptHealth;
  readonly #seats: Seat[] = [];
  /** That a worker may have open, as it inherits it from here. */
  readonly #descriptors: number = raiseDescriptorLimit();
  #phase: Phase = "starting";
  #drained: Promise<number> | null = null;

  private constructor(options: SupervisorOptions, sockets: HeldSockets, identity: Identity | null) {
    this.#log = options.log;
    this.#clock = options.clock;
    this.#sockets = sockets;
    this.#identity = identity;
    this.plan = sockets.plan;
    const { plan, log, clock } = { ...options, plan: this.plan };
    this.#memory = createSharedMemory(sharedStateBytes(plan, plan.workers), identity);
    const shared = sharedStateOver(this.#memory.memory, plan, plan.workers);
    this.counters = shared.counters;
    this.#health = keepHealth({ plan, shared, log, clock });
  }

  /**
   * Binds the listeners and starts the workers. Fulfilled when all of them accept; otherwise nothing is left behind.
   * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, CONFIG_NAME_UNRESOLVED, CONFIG_UNKNOWN_USER, USER_NOT_PERMITTED,
   * STATE_UNUSABLE, SECRET_UNSAFE, WORKER_FAILED
   */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const identity = workerIdentity(options.plan.runAs);
    const sockets = await holdSockets(withSecrets(options.plan), options.plan.workers);
    let supervisor: Supervisor;
    try {
      supervisor = new Supervisor(options, sockets, identity);
    } catch (error) {
      sockets.close();
      throw error;
    }
    try {
      await supervisor.#begin(options.signal);
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
    return supervisor;
  }

  /** Process ids of the workers that run now, by their numbers. */
  get pids(): readonly number[] {
    return this.#seats.filter(({ timer }) => timer === null).map(({ process }) => process.pid);
  }

  /**
   * Takes no new work, lets the workers finish what is open, and ends them.
   * @returns how many connections had to be closed at the end of `shutdown.timeout`; the same answer however often asked
   */
  drain(): Promise<number> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends everything at once. */
  async stop(): Promise<void> {
    this.#phase = "stopped";
    this.#health.close();
    this.#sockets.close();
    for (const seat of this.#seats) {
      if (seat.timer !== null) clearTimeout(seat.timer);
      seat.process.kill();
    }
    await Promise.all(this.#seats.map(({ process }) => process.exited));
  }

  async #begin(signal: AbortSignal | undefined): Promise<void> {
    const given = Promise.withResolvers<never>();
    const giveUp = (): void => given.reject(signal?.reason);
    given.promise.catch(() => {});
    signal?.addEventListener("abort", giveUp);
    signal?.throwIfAborted();
    for (let worker = 0; worker < this.plan.workers; worker++) {
      this.#seats.push({
        worker,
        process: this.#spawn(worker),
        startedAt: this.#clock.now(),
        accepting: false,
        backoff: fresh,
        timer: null,
      });
    }
    await Promise.race([given.promise, Promise.all(this.#seats.map(({ process }) => process.ready))]);
    signal?.removeEventListener("abort", giveUp);
    this.#phase = "running";
    for (const { name, address, mode } of this.plan.listeners) {
      this.#log.info("listener bound", { listener: name, address: formatAddress(address), mode });
    }
    if (isRoot() && this.plan.runAs === null) {
      this.#log.warn("workers run as root", { mend: "name a user for them: `user` in the configuration" });
    }
    for (const seat of this.#seats) {
      seat.accepting = true;
      const { worker } = seat;
      const connections = mostClients(this.plan, this.#descriptors, worker, this.plan.workers);
      this.#log.info("worker started", { worker, pid: seat.process.pid, descriptors: this.#descriptors, connections });
      this.#watch(seat);
    }
  }

  #spawn(worker: number): WorkerProcess {
    const setup = {
      plan: this.plan,
      worker,
      workers: this.plan.workers,
      identity: this.#identity,
      countersFd: this.#memory.fd,
      listeners: this.#sockets.inheritedBy(worker),
    };
    return new WorkerProcess(setup, () => this.#health.alarmed());
  }

  #watch(seat: Seat): void {
    const { process } = seat;
    void process.exited.then((death) => {
      if (this.#phase === "running") this.#bury(seat, process, death);
    });
  }

  #bury(seat: Seat, process: WorkerProcess, death: Death): void {
    const livedMs = this.#clock.now() - seat.startedAt;
    const { backoff, waitMs } = afterDeath(seat.backoff, livedMs);
    this.counters.clearWorker(seat.worker);
    seat.backoff = backoff;
    seat.accepting = false;
    this.#log.error("worker died", {
      worker: seat.worker,
      pid: process.pid,
      signal: death.signal ?? undefined,
      exitCode: death.exitCode ?? undefined,
      livedMs: Math.round(livedMs),
    });
    if (waitMs > 0) {
      const { worker } = seat;
      // New connections would wait in its queue; with nobody else to take them, waiting is still better than nothing.
      if (this.#seats.some(({ accepting }) => accepting)) this.#sockets.withdraw(worker);
      this.#log.warn("worker dies again and again", { worker, deaths: backoff.failures, nextTryMs: waitMs });
    }
    // Also at once through a timer: an error while it is spawned then takes the same way.
    seat.timer = setTimeout(() => void this.#replace(seat, process.pid), waitMs);
  }

  async #replace(seat: Seat, replacedPid: number): Promise<void> {
    seat.timer = null;
    seat.startedAt = this.#clock.now();
    this.#sockets.restore(seat.worker);
    try {
      seat.process = this.#spawn(seat.worker);
    } catch (error) {
      // No memory or no process to be had just now.
      const { backoff, waitMs } = afterDeath(seat.backoff, 0);
      seat.backoff = backoff;
      this.#log.error("worker not started", { worker: seat.worker, reason: String(error), nextTryMs: waitMs });
      seat.timer = setTimeout(() => void this.#replace(seat, replacedPid), waitMs);
      return;
    }
    const { process } = seat;
    this.#watch(seat);
    try {
      await process.ready;
      seat.accepting = true;
      this.#log.info("worker replaced", { worker: seat.worker, pid: process.pid, replaced: replacedPid });
    } catch (error) {
      if (this.#phase !== "running") return;
      const { code, detail } = error instanceof WeirError ? error : { code: "WORKER_FAILED", detail: String(error) };
      this.#log.error("worker failed to start", { worker: seat.worker, pid: process.pid, code, reason: detail });
      process.kill(); // `exited` leads to the next try
    }
  }

  async #drain(): Promise<number> {
    if (this.#phase === "stopped") return 0;
    this.#phase = "draining";
    const { shutdownMs } = this.plan;
    const began = this.#clock.now();
    this.#log.info("drain begun", { timeoutMs: shutdownMs });
    this.#sockets.close();
    const living = this.#seats.filter(({ timer }) => timer === null).map(({ process }) => process);
    for (const { timer } of this.#seats) if (timer !== null) clearTimeout(timer);
    for (const process of living) process.drain(shutdownMs);
    const late = setTimeout(() => {
      for (const process of living) process.kill();
    }, shutdownMs + DRAIN_GRACE_MS);
    const deaths = await Promise.all(living.map(({ exited }) => exited));
    clearTimeout(late);
    deaths.forEach((death, i) => {
      if (death.exitCode !== 0 && this.#phase === "draining") {
        this.#log.warn("worker did not drain", { pid: living[i]?.pid, reason: deathText(death) });
      }
    });
    const closed = living.reduce((sum, process) => sum + process.closed, 0);
    if (this.#phase === "draining") {
      this.#health.close();
      this.#log.info("drain done", { closed, tookMs: Math.round(this.#clock.now() - began) });
      this.#phase = "stopped";
    }
    return closed;
  }
}
