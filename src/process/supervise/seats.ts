import type { Clock } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import type { Log } from "../../observe/log.ts";
import { afterDeath, type Backoff, fresh } from "./backoff.ts";
import type { PartId } from "../parts/manifest.ts";
import { type Death, deathText, type WorkerProcess } from "./worker-process.ts";

/** The place of one worker, as others see it: who fills it changes, its number, sockets and counters stay. */
export interface SeatView {
  readonly worker: number;
  /** Of its process; `null` while there is none. */
  readonly pid: number | null;
  /** `waiting`: to be filled again. `draining` and `gone`: Weir ends. */
  readonly state: "starting" | "running" | "waiting" | "draining" | "gone";
  /** When its process was started; milliseconds since 1970. */
  readonly startedAt: number;
  /** How often a process in it has died. */
  readonly deaths: number;
  /** The process that was in it before and finishes what it has open; `null` where there is none. */
  readonly leavingPid: number | null;
}

/** Sections of the counters for so many seats: each may have a process that works and one that leaves. */
export function sectionsFor(workers: number): number {
  return 2 * workers;
}

/** What seats need from outside. */
export interface SeatsOptions {
  readonly workers: number;
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** @param section of the counters */
  readonly spawn: (worker: number, section: number) => WorkerProcess;
  /** Fulfilled when a process may be started: not in the middle of a change. */
  readonly settled: () => Promise<unknown>;
  /** A process has ended: nothing writes in that section of the counters any more. */
  readonly died: (section: number) => void;
  /** Lets new connections go to the others while this one is missing, and no longer. */
  readonly withdraw: (worker: number) => void;
  readonly restore: (worker: number) => void;
}

/** What a worker that has ended its drain, or has missed its end, may still take before it is killed. */
const DRAIN_GRACE_MS = 2000;

interface Seat {
  readonly worker: number;
  process: WorkerProcess;
  /** Of the counters: where its process writes. */
  section: number;
  /** The process before it, while that one finishes what it has open. */
  leaving: WorkerProcess | null;
  /** The process that is to be in it next, while that one starts. */
  coming: WorkerProcess | null;
  state: SeatView["state"];
  /** By the clock, and as others see it. */
  startedMs: number;
  startedAt: number;
  deaths: number;
  backoff: Backoff;
  /** Set while it waits to be filled again. */
  timer: ReturnType<typeof setTimeout> | null;
}

/** Keeps a worker in every seat: one that dies is replaced, at once or, where it dies again and again, after a while. */
export class Seats {
  readonly #options: SeatsOptions;
  readonly #seats: Seat[] = [];
  /** Dead workers are replaced; not while Weir starts, nor when it ends. */
  #keeping = false;

  constructor(options: SeatsOptions) {
    this.#options = options;
  }

  get views(): readonly SeatView[] {
    return this.#seats.map(({ worker, process, state, startedAt, deaths, leaving }) => {
      const pid = state === "waiting" || state === "gone" ? null : process.pid;
      return { worker, pid, state, startedAt, deaths, leavingPid: leaving?.pid ?? null };
    });
  }

  /** Workers that accept, by their numbers. */
  running(): ReadonlyMap<number, WorkerProcess> {
    const running = this.#seats.filter(({ state }) => state === "running");
    return new Map(running.map(({ worker, process }) => [worker, process]));
  }

  /** Has those that run forget parts that no plan has any more, and those that start, when they have. */
  forget(gone: readonly PartId[]): void {
    if (gone.length === 0) return;
    for (const { process, coming } of this.#seats) for (const each of [process, coming]) each?.forget(gone);
  }

  /** All processes that serve clients, by their numbers: those that accept, and those that finish what they have open. */
  serving(): readonly (readonly [worker: number, process: WorkerProcess])[] {
    return this.#seats.flatMap(({ worker, process, leaving, state }) => [
      ...(state === "running" || state === "draining" ? [[worker, process] as const] : []),
      ...(leaving === null ? [] : [[worker, leaving] as const]),
    ]);
  }

  /** Fulfilled when none is starting any more, however its start went. */
  async started(): Promise<void> {
    const starting = this.#seats.filter(({ state }) => state === "starting");
    await Promise.allSettled(starting.map(({ process }) => process.ready));
  }

  /** Fills all seats. Fulfilled when all workers accept. @throws the error of the first that cannot; the signal's reason */
  async begin(signal: AbortSignal | undefined): Promise<void> {
    const { workers, clock, wallClock, spawn } = this.#options;
    const given = Promise.withResolvers<never>();
    const giveUp = (): void => given.reject(signal?.reason);
    given.promise.catch(() => {});
    signal?.addEventListener("abort", giveUp);
    signal?.throwIfAborted();
    for (let worker = 0; worker < workers; worker++) {
      const times = { startedMs: clock.now(), startedAt: wallClock() };
      const process = spawn(worker, worker);
      const seat = { worker, process, section: worker, leaving: null, coming: null, ...times };
      this.#seats.push({ ...seat, state: "starting", deaths: 0, backoff: fresh, timer: null });
    }
    try {
      await Promise.race([Promise.all(this.#seats.map(({ process }) => process.ready)), given.promise]);
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
    this.#keeping = true;
    for (const seat of this.#seats) {
      seat.state = "running";
      this.#watch(seat);
    }
  }

  /**
   * Puts a new process in a seat, on the same listening sockets; the one before it takes no new work, finishes what it has open and ends.
   * Nothing is lost by it. To be called while no plan is being brought into force.
   * @param timeoutMs when what it still has open is closed
   * @returns the process ids of the new one and of the one before
   * @throws NOT_RUNNING where the seat has no worker that accepts, its last replaced one has not ended yet, or Weir ends meanwhile; the error
   * of a start
   */
  async renew(worker: number, timeoutMs: number): Promise<{ readonly pid: number; readonly leavingPid: number }> {
    const { log, clock, wallClock, spawn } = this.#options;
    const seat = this.#seats[worker];
    if (seat?.state !== "running" || !this.#keeping)
      throw new WeirError("NOT_RUNNING", `there is no worker ${worker} that accepts`);
    if (seat.leaving !== null)
      throw new WeirError(
        "NOT_RUNNING",
        `worker ${worker}: process ${seat.leaving.pid} still finishes what it has open`,
      );
    const before = seat.process;
    const leavingSection = seat.section;
    const section = (leavingSection + this.#seats.length) % sectionsFor(this.#seats.length);
    const times = { startedMs: clock.now(), startedAt: wallClock() };
    const process = spawn(worker, section);
    seat.coming = process;
    try {
      await process.ready;
      // Whoever is to be in the seat of one that has ended may not be there yet.
      if (seat.process !== before || before.gone || !this.#keeping)
        throw new WeirError("NOT_RUNNING", `worker ${worker} ended while its successor started`);
    } catch (error) {
      process.kill();
      await process.exited;
      this.#options.died(section); // it may have accepted already
      throw this.#keeping ? error : new WeirError("NOT_RUNNING", "Weir is ending");
    } finally {
      seat.coming = null;
    }
    Object.assign(seat, times, { process, section, leaving: before });
    this.#watch(seat);
    log.info("worker renewed", { worker, pid: process.pid, leaving: before.pid });
    before.drain(timeoutMs);
    const late = setTimeout(() => before.kill(), timeoutMs + DRAIN_GRACE_MS);
    void before.exited.then(() => {
      clearTimeout(late);
      seat.leaving = null;
      this.#options.died(leavingSection);
      log.info("worker left", { worker, pid: before.pid, closed: before.closed });
    });
    return { pid: process.pid, leavingPid: before.pid };
  }

  /** Has all finish what is open. @returns how many connections had to be closed, and whether all ended by themselves */
  async drain(timeoutMs: number): Promise<number> {
    this.#keeping = false;
    const living = this.#seats.filter(({ timer }) => timer === null);
    const leaving = this.#seats.map((seat) => seat.leaving).filter((process) => process !== null);
    const coming = this.#seats.map((seat) => seat.coming).filter((process) => process !== null);
    // Clients would wait at the listening sockets that they hold, for nobody.
    for (const process of coming) process.kill();
    for (const seat of this.#seats) this.#leave(seat, "draining");
    const all = [...living.map(({ process }) => process), ...leaving];
    for (const process of all) process.drain(timeoutMs);
    const late = setTimeout(() => {
      for (const process of all) process.kill();
    }, timeoutMs + DRAIN_GRACE_MS);
    await Promise.all([...leaving, ...coming].map(({ exited }) => exited));
    const deaths = await Promise.all(living.map(({ process }) => process.exited));
    clearTimeout(late);
    for (const [i, death] of deaths.entries()) {
      const seat = living[i]!;
      if (death.exitCode !== 0 && seat.state === "draining")
        this.#options.log.warn("worker did not drain", { pid: seat.process.pid, reason: deathText(death) });
      seat.state = "gone";
    }
    return all.reduce((sum, { closed }) => sum + closed, 0);
  }

  /** Ends all at once. */
  async stop(): Promise<void> {
    this.#keeping = false;
    for (const seat of this.#seats) this.#leave(seat, "gone");
    const all = this.#seats.flatMap(({ process, leaving, coming }) => [process, leaving, coming]);
    const living = all.filter((process) => process !== null);
    for (const process of living) process.kill();
    await Promise.all(living.map(({ exited }) => exited));
  }

  #leave(seat: Seat, state: "draining" | "gone"): void {
    if (seat.timer !== null) clearTimeout(seat.timer);
    seat.state = seat.timer === null ? state : "gone";
    seat.timer = null;
  }

  #watch(seat: Seat): void {
    const { process } = seat;
    void process.exited.then((death) => {
      if (this.#keeping && seat.process === process) this.#bury(seat, process, death);
    });
  }

  #bury(seat: Seat, process: WorkerProcess, death: Death): void {
    const { log, clock, died, withdraw } = this.#options;
    const { worker, section } = seat;
    const livedMs = clock.now() - seat.startedMs;
    const { backoff, waitMs } = afterDeath(seat.backoff, livedMs);
    died(section);
    seat.backoff = backoff;
    seat.state = "waiting";
    seat.deaths += 1;
    log.error("worker died", {
      worker,
      pid: process.pid,
      signal: death.signal ?? undefined,
      exitCode: death.exitCode ?? undefined,
      livedMs: Math.round(livedMs),
    });
    if (waitMs > 0) {
      // New connections would wait in its queue; with nobody else to take them, waiting is still better than nothing.
      if (this.#seats.some(({ state }) => state === "running")) withdraw(worker);
      log.warn("worker dies again and again", {
        worker,
        pid: process.pid,
        deaths: backoff.failures,
        nextTryMs: waitMs,
      });
    }
    // Also at once through a timer: an error while it is spawned then takes the same way.
    seat.timer = setTimeout(() => void this.#replace(seat, process.pid), waitMs);
  }

  async #replace(seat: Seat, replacedPid: number): Promise<void> {
    const { log, clock, wallClock, spawn, settled, restore } = this.#options;
    const { worker } = seat;
    await settled();
    if (!this.#keeping) return;
    seat.timer = null;
    seat.startedMs = clock.now();
    seat.startedAt = wallClock();
    restore(worker);
    try {
      seat.process = spawn(worker, seat.section);
    } catch (error) {
      // No memory or no process to be had just now.
      const { backoff, waitMs } = afterDeath(seat.backoff, 0);
      seat.backoff = backoff;
      log.error("worker not started", { worker, reason: String(error), nextTryMs: waitMs });
      seat.timer = setTimeout(() => void this.#replace(seat, replacedPid), waitMs);
      return;
    }
    seat.state = "starting";
    const { process } = seat;
    this.#watch(seat);
    try {
      await process.ready;
      if (!this.#keeping) return;
      seat.state = "running";
      log.info("worker replaced", { worker, pid: process.pid, replaced: replacedPid });
    } catch (error) {
      if (!this.#keeping) return;
      const { code, detail } = error instanceof WeirError ? error : { code: "WORKER_FAILED", detail: String(error) };
      log.error("worker failed to start", { worker, pid: process.pid, code, reason: detail });
      process.kill(); // `exited` leads to the next try
    }
  }
}
