import type { Clock } from "../../clock.ts";
import type { Plan } from "../../plan.ts";
import type { Placement } from "../../engine/placement.ts";
import { problemOf } from "../../config/files/problems.ts";
import { WeirError } from "../../errors.ts";
import { formatAddress } from "../../address.ts";
import { mostClients } from "../../engine/entrances.ts";
import { raiseDescriptorLimit } from "../../net/descriptors.ts";
import type { Counters } from "../../observe/counters.ts";
import type { HealthWords } from "../../observe/health-words.ts";
import { limitedLog } from "../../observe/limited-log.ts";
import type { Log } from "../../observe/log.ts";
import type { HealthKeeper } from "../../pool/keeper.ts";
import { withSecrets } from "../secrets/affinity-secret.ts";
import type { ApplyReport } from "./apply-report.ts";
import { type Answered, askEach, askOne } from "./ask.ts";
import { Changes } from "./changes.ts";
import type { Companion } from "./companion.ts";
import { Events, recorded } from "../events.ts";
import { type HealthLegacy, keepHealth, type KeptHealth } from "./health.ts";
import { type Identity, isRoot, workerIdentity } from "../identity.ts";
import type { Apply, LiveConfig } from "../load/live-config.ts";
import { longestDrainMs, PlanInForce } from "./plan-in-force.ts";
import { holdMemory } from "./memory.ts";
import { Seats, type SeatView } from "./seats.ts";
import { generatedSecret } from "./settled-plan.ts";
import { type HeldSockets, holdSockets, type Legacy } from "./sockets.ts";
import { type UpgradeReport, upgradeTo } from "../upgrade/upgrade.ts";
import { WorkerProcess } from "./worker-process.ts";

/** What a supervisor needs from outside. */
export interface SupervisorOptions {
  readonly plan: Plan;
  readonly log: Log;
  readonly clock: Clock;
  /** Where the plan came from, and comes from when it changes. */
  readonly liveConfig: LiveConfig;
  /** Listening sockets that are open already; those that no listener wants are closed. */
  readonly legacy?: readonly Legacy[];
  /** What a predecessor knew of the health of its pools; `null` where there is none. */
  readonly health?: HealthLegacy | null;
  /** Gives up a start that is under way; `start` then throws its reason. */
  readonly signal?: AbortSignal;
}

/** What a timer can hold: some 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 10_000;

type Phase = "starting" | "running" | "draining" | "stopped";

/** Holds the listening sockets and the counters, keeps a worker in every seat, and brings plans into force. It never touches a client's byte. */
export class Supervisor {
  readonly liveConfig: LiveConfig;
  readonly events: Events;
  readonly counters: Counters;
  readonly words: HealthWords;
  /** Milliseconds since 1970. */
  readonly startedAt: number = Date.now();
  /** Fulfilled, with its id, when another process has taken over: this one is only to drain. */
  readonly succeeded: Promise<number>;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #sockets: HeldSockets;
  readonly #identity: Identity | null;
  readonly #memoryFd: number;
  readonly #health: KeptHealth;
  readonly #seats: Seats;
  readonly #inForce: PlanInForce;
  readonly #changes: Changes;
  #phase: Phase = "starting";
  /** Aborted when it is to end and nobody has taken over. */
  readonly #ending = new AbortController();
  #drained: Promise<number> | null = null;
  /** The change under way, or the last one. */
  #changing: Promise<unknown> = Promise.resolve();
  readonly #succeeded = Promise.withResolvers<number>();
  /** That a worker may have open, as it inherits it from here. */
  readonly #descriptors: number = raiseDescriptorLimit();

  private constructor(options: SupervisorOptions, sockets: HeldSockets, identity: Identity | null) {
    this.succeeded = this.#succeeded.promise;
    this.events = new Events(Date.now, Date.now());
    this.liveConfig = options.liveConfig;
    this.#log = limitedLog(recorded(options.log, this.events), options.clock);
    this.#clock = options.clock;
    this.#sockets = sockets;
    this.#identity = identity;
    this.#inForce = new PlanInForce(sockets.plan);
    const { plan } = this.#inForce;
    const { shared, placements, fd } = holdMemory(plan, identity, this.#clock);
    this.#memoryFd = fd;
    this.counters = shared.counters;
    this.words = shared.words;
    const clock = this.#clock;
    const log = this.#log;
    this.#inForce.settle(placements);
    const inherited = options.health ?? null;
    this.#health = keepHealth({ plan, placement: this.placement, shared, log, clock, inherited });
    this.#seats = new Seats({
      workers: plan.workers,
      log,
      clock,
      wallClock: Date.now,
      spawn: (worker, section) => this.#spawn(worker, section),
      settled: () => this.#changes.settled(),
      died: (section) => this.counters.clearWorker(section, placements.rowsUsed),
      withdraw: (worker) => this.#sockets.withdraw(worker),
      restore: (worker) => this.#sockets.restore(worker),
    });
    this.#changes = new Changes({
      inForce: this.#inForce,
      sockets,
      placements,
      seats: this.#seats,
      health: this.#health,
      secret: generatedSecret(options.plan, plan),
      clock,
      log,
    });
  }

  /**
   * Binds the listeners and starts the workers. Fulfilled when all of them accept; otherwise nothing is left behind.
   * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, CONFIG_NAME_UNRESOLVED, CONFIG_UNKNOWN_USER, USER_NOT_PERMITTED,
   * STATE_UNUSABLE, SECRET_UNSAFE, EXPLAIN_TOKEN_UNSAFE, WORKER_FAILED
   */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const identity = workerIdentity(options.plan.runAs);
    const sockets = await holdSockets(withSecrets(options.plan), options.plan.workers, options.legacy);
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
    const apply: Apply = (plan, { dryRun }) => supervisor.apply(plan, dryRun);
    options.liveConfig.attach(apply, supervisor.#log, supervisor.#inForce);
    return supervisor;
  }

  /** The predecessor is told to go: what it left belongs to this process from now on. */
  own(): void {
    this.#sockets.own();
  }

  /** The plan in force, with the addresses that were bound. Holds secrets. */
  get plan(): Plan {
    return this.#inForce.plan;
  }

  /** Where in the shared memory the numbers of the plan in force are. */
  get placement(): Placement {
    return this.#inForce.placement;
  }

  /** Number of the plan in force: 1 at the start, one more with each change. */
  get generation(): number {
    return this.#inForce.generation;
  }

  /** Names the content of the plan in force. */
  get planHash(): string {
    return this.#inForce.hash;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What is written to it is an event too. */
  get log(): Log {
    return this.#log;
  }

  /** What probes and keepers go by. */
  get clock(): Clock {
    return this.#clock;
  }

  /** Who keeps the health of a pool of the plan in force. */
  keeper(pool: string): HealthKeeper | null {
    return this.#health.loop.keeper(pool);
  }

  /** The places of the workers, by their numbers. */
  get seats(): readonly SeatView[] {
    return this.#seats.views;
  }

  /** Process ids of the workers that run now, by their numbers. */
  get pids(): readonly number[] {
    return this.seats.map(({ pid }) => pid).filter((pid) => pid !== null);
  }

  /** Has something go along with every change of the plan from now on: where it cannot, the plan is not brought into force either. */
  goesAlong(companion: Companion): void {
    this.#changes.companion = companion;
  }

  /**
   * Asks a process that serves clients one of `questions/`, by its process id: those too that are leaving.
   * @param argument plain data
   * @throws WORKER_FAILED where it does not serve or does not answer; the error of the question
   */
  ask(pid: number, question: string, argument: unknown = null): Promise<unknown> {
    return askOne(this.#seats, pid, question, argument);
  }

  /** Asks all processes that serve clients, those too that are leaving, at the same time. @returns what each said, by their workers' numbers */
  askAll(question: string, argument: unknown = null): Promise<readonly Answered[]> {
    return askEach(this.#seats, question, argument);
  }

  /**
   * Brings a plan into force in all workers, or in none. Changes come one after another. Only what differs is touched.
   * @param dryRun only says what would change, having tried its listeners
   */
  apply(plan: Plan, dryRun = false): Promise<ApplyReport> {
    return this.#alone(async () => {
      try {
        if (this.#phase !== "running") throw notRunning();
        return await this.#changes.apply(plan, dryRun);
      } catch (error) {
        if (!(error instanceof WeirError)) throw error;
        // Whatever has failed because of it.
        const ended = this.#phase === "running" ? error : notRunning();
        return { ok: false, problems: [problemOf(ended)] };
      }
    });
  }

  /**
   * Starts this program anew on the same listening sockets, with the run-time edits that hold and what is known of health. Where it comes up, `succeeded` is fulfilled,
   * and this process is to drain; where it does not, all is as it was.
   */
  upgrade(): Promise<UpgradeReport> {
    return this.#alone(async () => {
      if (this.#phase !== "running") throw notRunning();
      const { overlay: edits, named: file } = this.liveConfig;
      const health = this.#health.legacy();
      const legacy = this.#sockets.legacy();
      const report = await upgradeTo({ legacy, edits, file, health, log: this.#log, ending: this.#ending.signal });
      if (report.ok) {
        this.#phase = "draining";
        this.#succeeded.resolve(report.pid);
      }
      return report;
    }).catch((error: unknown): UpgradeReport => {
      if (!(error instanceof WeirError)) throw error;
      this.#log.error("upgrade failed", { code: error.code, reason: error.detail });
      return { ok: false, problems: [problemOf(error)] };
    });
  }

  /**
   * Puts a new process in a worker's place without a loss; the one before finishes what it has open, as after a reload (`drain`).
   * @throws NOT_RUNNING; WORKER_FAILED and what else keeps a worker from starting: all is as it was then
   */
  renewWorker(worker: number): Promise<{ readonly pid: number; readonly leavingPid: number }> {
    return this.#alone(() => this.#seats.renew(worker, Math.min(longestDrainMs(this.plan), LONGEST_TIMER_MS)));
  }

  /**
   * Takes no new work, lets the workers finish what is open, and ends them. Where another process has taken over there is time for that as
   * after a reload (`drain`), otherwise `shutdown.timeout`.
   * @returns how many connections had to be closed at its end; the same answer however often asked
   */
  drain(): Promise<number> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends everything at once. */
  async stop(): Promise<void> {
    this.#phase = "stopped";
    this.#ending.abort();
    this.#health.close();
    this.#sockets.close();
    await this.#seats.stop();
  }

  async #begin(signal: AbortSignal | undefined): Promise<void> {
    await this.#seats.begin(signal);
    this.#phase = "running";
    for (const { name, address, mode } of this.plan.listeners)
      this.#log.info("listener bound", { listener: name, address: formatAddress(address), mode });
    if (isRoot() && this.plan.runAs === null)
      this.#log.warn("workers run as root", { mend: "name a user for them: `user` in the configuration" });
    for (const { worker, pid } of this.#seats.views) {
      const connections = mostClients(this.plan, this.#descriptors, worker, this.plan.workers);
      this.#log.info("worker started", { worker, pid, descriptors: this.#descriptors, connections });
    }
  }

  #spawn(worker: number, section: number): WorkerProcess {
    const { parts, parted, placement } = this.#inForce;
    const setup = {
      parts,
      parted,
      placement,
      worker,
      section,
      workers: this.plan.workers,
      identity: this.#identity,
      countersFd: this.#memoryFd,
      listeners: this.#sockets.inheritedBy(worker),
    };
    return new WorkerProcess(setup, {
      alarmed: () => this.#health.alarmed(),
      happened: (level, event, fields) => void this.events.add(level, event, fields),
    });
  }

  /** One change after another. */
  #alone<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#changing.then(change);
    this.#changing = mine.catch(() => {});
    return mine;
  }

  async #drain(): Promise<number> {
    if (this.#phase === "stopped") return 0;
    const replaced = this.#phase === "draining";
    this.#phase = "draining";
    const timeoutMs = replaced ? longestDrainMs(this.plan) : this.plan.shutdownMs;
    const began = this.#clock.now();
    this.#log.info("drain begun", { timeoutMs: Number.isFinite(timeoutMs) ? timeoutMs : null });
    if (replaced) this.#sockets.release();
    else {
      this.#ending.abort();
      this.#sockets.close();
    }
    const closed = await this.#seats.drain(Math.min(timeoutMs, LONGEST_TIMER_MS));
    if (this.#phase === "draining") {
      this.#health.close();
      this.#log.info("drain done", { closed, tookMs: Math.round(this.#clock.now() - began) });
      this.#phase = "stopped";
    }
    return closed;
  }
}

function notRunning(): WeirError {
  return new WeirError("NOT_RUNNING", "Weir is starting or ending");
}
