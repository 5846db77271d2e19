import type { Address } from "../address.ts";
import { hashText } from "../balance/mix.ts";
import { type Expiring, Timer } from "../net/timer-wheel.ts";
import type { ProbePlan } from "../health-plan.ts";
import { probeKey } from "../pool/probe-key.ts";
import type { ProbeOutcome } from "../pool/probe-state.ts";
import type { Probe, ProbeTools } from "./probe.ts";
import { makeProbe, probedAddress } from "./start-probe.ts";

/** A backend of a pool that is to be probed. */
export interface ProbeTarget {
  readonly pool: string;
  /** Its address in canonical text. */
  readonly backend: string;
  readonly address: Address;
  readonly plan: ProbePlan;
}

/** What the scheduler needs from outside. */
export interface SchedulerOptions extends ProbeTools {
  /** Told of each outcome; says in how many milliseconds the next probe is due. */
  readonly settled: (target: ProbeTarget, outcome: ProbeOutcome) => number;
  /** The most probes under way at a time; more wait for their turn. */
  readonly atOnce?: number;
}

/** Probes under way at a time, a file descriptor each: 10,000 backends that all time out in 2 s have their turn every 20 s. */
const AT_ONCE = 1024;
/** New targets are begun with at this rate where that is sooner than spread over their interval: few are known at once. */
const FIRST_EVERY_MS = 5;

/**
 * Probes targets again and again, spread over time: the first time of each lies where the hash of its identity says, within an
 * interval, so that 10,000 of them make no burst, not even after a restart; the next ones where `settled` says, with its jitter.
 * A target is (pool, backend, what is asked): two probes of one address have nothing to do with each other.
 */
export class ProbeScheduler {
  readonly #options: SchedulerOptions;
  readonly #atOnce: number;
  #entries: ReadonlyMap<string, Entry> = new Map();
  /** Those whose time has come while enough were under way. */
  readonly #waiting: Entry[] = [];
  #running = 0;
  /** Whether those that wait are being started: one whose dialling fails at once must not start the next from within. */
  #starting = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#atOnce = options.atOnce ?? AT_ONCE;
  }

  /** Probes under way. */
  get running(): number {
    return this.#running;
  }

  /** Says what is to be probed from now on. Those that stay keep their rhythm; those that go are given up at once. O(n). */
  setTargets(targets: readonly ProbeTarget[]): void {
    const before = this.#entries;
    const after = new Map<string, Entry>();
    const added: Entry[] = [];
    for (const target of targets) {
      const key = JSON.stringify([target.pool, target.backend, probeKey(target.plan)]);
      const entry = before.get(key) ?? new Entry(key, target, this);
      if (!before.has(key)) added.push(entry);
      entry.target = target;
      after.set(key, entry);
    }
    this.#entries = after;
    for (const [key, entry] of before) if (!after.has(key)) this.#drop(entry);
    for (const entry of added) {
      const within = Math.min(entry.target.plan.intervalMs, added.length * FIRST_EVERY_MS);
      const phase = hashText(entry.key, 0) / 2 ** 32;
      this.#options.wheel.set(entry.timer, Math.max(1, phase * within));
    }
    this.#startWaiting();
  }

  /** Gives up all. */
  close(): void {
    this.setTargets([]);
  }

  /** For an entry alone: its time has come. */
  due(entry: Entry): void {
    this.#waiting.push(entry);
    this.#startWaiting();
  }

  #startWaiting(): void {
    if (this.#starting) return;
    this.#starting = true;
    while (this.#running < this.#atOnce) {
      const entry = this.#waiting.shift();
      if (entry === undefined) break;
      this.#start(entry);
    }
    this.#starting = false;
  }

  #start(entry: Entry): void {
    const { target } = entry;
    const address = probedAddress(target.address, target.plan);
    const probe = makeProbe(target.plan, address, this.#options, (outcome) => this.#settle(entry, outcome));
    entry.probe = probe;
    this.#running += 1;
    probe.start(this.#options.dial, address);
  }

  #settle(entry: Entry, outcome: ProbeOutcome): void {
    entry.probe = null;
    this.#running -= 1;
    const delayMs = this.#options.settled(entry.target, outcome);
    // Whoever was told may have taken it off the list.
    if (this.#entries.get(entry.key) === entry) this.#options.wheel.set(entry.timer, Math.max(1, delayMs));
    this.#startWaiting();
  }

  #drop(entry: Entry): void {
    this.#options.wheel.remove(entry.timer);
    const at = this.#waiting.indexOf(entry);
    if (at !== -1) this.#waiting.splice(at, 1);
    if (entry.probe === null) return;
    entry.probe.cancel();
    entry.probe = null;
    this.#running -= 1;
  }
}

/** The rhythm of one target. */
class Entry implements Expiring {
  readonly key: string;
  target: ProbeTarget;
  readonly timer: Timer = new Timer(this);
  /** Under way. */
  probe: Probe | null = null;
  readonly #scheduler: ProbeScheduler;

  constructor(key: string, target: ProbeTarget, scheduler: ProbeScheduler) {
    this.key = key;
    this.target = target;
    this.#scheduler = scheduler;
  }

  expired(): void {
    this.#scheduler.due(this);
  }
}
