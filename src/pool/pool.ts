import {
  type Candidate,
  DEFAULT_OPTIONS,
  type Picker,
  type Policy,
  type PolicyOptions,
  type Tools,
} from "../balance/policy.ts";
import type { Explained } from "../balance/explained.ts";
import { pickByWeight, pickUntried } from "../balance/exclude.ts";
import { type Tried, TriedMarks } from "../balance/tried.ts";
import { HEALTH_FLAG, HealthWords, healthWordsBytes, isOnlyEjected, keepsPinned } from "../observe/health-words.ts";
import { ShareCap } from "./share-cap.ts";

/** A backend as its pool sees it. */
export interface Member {
  /** Its address in canonical text. */
  readonly id: string;
  /** 0 takes no new work. */
  readonly weight: number;
}

/** Where a pool learns of its health. */
export interface PoolWords {
  readonly words: HealthWords;
  /** Position of the pool in the plan. */
  readonly pool: number;
  /** Row of each backend. */
  readonly rows: readonly number[];
}

/** Words of a pool whose health nobody keeps: the weights of the plan hold. */
function unkept(): PoolWords {
  const shape = { pools: 1, rows: 0 };
  return { words: new HealthWords(new ArrayBuffer(healthWordsBytes(shape)), shape), pool: 0, rows: [] };
}

/**
 * Chooses among the backends of a pool. The picker is made when they or their health change; a request only reads it, and one
 * word that tells whether it still holds.
 */
export class Pool {
  readonly name: string;
  readonly #policy: Policy;
  readonly #options: PolicyOptions;
  readonly #members: readonly Member[];
  #tools: Tools;
  readonly #words: HealthWords;
  readonly #pool: number;
  readonly #rows: readonly number[];
  /** The publication that candidates and picker were made of. */
  #version = 0;
  #candidates: readonly Candidate[] = [];
  #picker: Picker | null = null;
  /** `null` until an exchange has tried something. */
  #marks: TriedMarks | null = null;
  /** Whether this is the pool of a former plan and all of its backends have left: its last exchanges keep them, since there is no other for those. */
  #stranded = false;

  constructor(
    name: string,
    policy: Policy,
    members: readonly Member[],
    tools: Tools,
    options: PolicyOptions = DEFAULT_OPTIONS,
    health: PoolWords = unkept(),
  ) {
    this.name = name;
    this.#policy = policy;
    this.#options = options;
    this.#members = members;
    this.#tools = tools;
    this.#words = health.words;
    this.#pool = health.pool;
    this.#rows = health.rows;
    this.#prepare();
  }

  /**
   * Chooses a backend for an attempt. Whether it has room is for the pool's gate to see to (`gate.ts`), where there is one.
   * @param key of the request or connection, 0 where the policy has none
   * @param tried the backends that this exchange has tried already: none of them is chosen again
   * @returns its position in the pool, -1 when none is left or none takes new work
   */
  pick(key: number, tried: readonly number[]): number {
    if (this.#words.version(this.#pool) !== this.#version) this.#prepare();
    const picker = this.#picker;
    if (picker === null) return -1;
    if (tried.length === 0) return picker.pick(key);
    if (this.#words.panic(this.#pool)) {
      const well = pickUntried(picker, key, this.#candidates, this.#withUnwell(tried), this.#tools);
      if (well !== -1) return well;
    }
    return pickUntried(picker, key, this.#candidates, this.#marked(tried), this.#tools);
  }

  /** For one pick: of that moment alone. */
  #marked(tried: readonly number[]): TriedMarks {
    return (this.#marks ??= new TriedMarks(this.#members.length)).set(tried);
  }

  /** In a panic all get work, since what is known of them may be wrong; an exchange that has met one that fails knows that much is right. */
  #withUnwell(tried: readonly number[]): Tried {
    const out = HEALTH_FLAG.down | HEALTH_FLAG.ejected;
    const marks = this.#marked(tried);
    for (const { index } of this.#candidates) if ((this.#words.flags(this.#rows[index]!) & out) !== 0) marks.add(index);
    return marks;
  }

  /** How `pick` would choose now for an exchange that has tried nothing; `null` where no backend takes work. See `Picker.explain`. */
  explain(key: number): Explained | null {
    if (this.#words.version(this.#pool) !== this.#version) this.#prepare();
    return this.#picker === null ? null : this.#picker.explain(key);
  }

  /** Chooses one with room among all that were not tried, by weight, whatever the policy would rather have. O(candidates). */
  pickWithRoom(key: number, tried: readonly number[]): number {
    return pickByWeight(key, this.#candidates, this.#marked(tried), this.#tools);
  }

  /**
   * Where no backend that takes work is left to be tried: one that the traffic has ejected. It may be well by now, and those that were
   * tried are not; better asked than an error. O(backends).
   * @returns its position in the pool, -1 where there is none
   */
  lastResort(tried: readonly number[]): number {
    if (this.#words.version(this.#pool) === 0) return -1;
    const marks = this.#marked(tried);
    return this.#members.findIndex(
      ({ weight }, index) =>
        weight > 0 && !marks.includes(index) && isOnlyEjected(this.#words.flags(this.#rows[index]!)),
    );
  }

  /** Whether any backend that was not tried takes new work, with or without room. O(tried) where the first one does. */
  takesWork(tried: readonly number[]): boolean {
    if (this.#words.version(this.#pool) !== this.#version) this.#prepare();
    const marks = tried.length === 0 ? tried : this.#marked(tried);
    return this.#candidates.some(({ index }) => !marks.includes(index) && this.#weightOf(index) > 0);
  }

  /** Whether a backend takes the clients that are pinned to it: it is well, or drains and keeps them. */
  takesPinned(index: number): boolean {
    const row = this.#rows[index];
    return row === undefined || keepsPinned(this.#words.flags(row));
  }

  /** Indexes of the backends that may take new work. */
  get eligible(): readonly number[] {
    return this.#candidates.map(({ index }) => index).filter((index) => this.#weightOf(index) > 0);
  }

  #weightOf(index: number): number {
    const row = this.#rows[index];
    const planned = row === undefined || this.#stranded || this.#words.version(this.#pool) === 0;
    return planned ? (this.#members[index]?.weight ?? 0) : this.#words.weight(row);
  }

  #hasLeft(row: number): boolean {
    return (this.#words.flags(row) & HEALTH_FLAG.left) !== 0;
  }

  /** Makes the picker of what is published, or of the plan while nothing is. */
  #prepare(): void {
    // Before the weights: what is published in between is read once more.
    const version = this.#words.version(this.#pool);
    this.#version = version;
    this.#stranded = this.#rows.length > 0 && this.#rows.every((row) => this.#hasLeft(row));
    if (this.#policy.keyed) this.#prepareKeyed();
    else this.#prepareWeighted(version);
  }

  /**
   * Weights of a hash say which keys are whose: a backend that is out for a while keeps its place and has no room, so that its
   * own keys move, and come back, and no others do. Made once; health is read as it is.
   */
  #prepareKeyed(): void {
    if (this.#picker !== null) return;
    const tools = this.#tools;
    const isOut = (index: number): boolean =>
      this.#version !== 0 && !this.#stranded && this.#words.weight(this.#rows[index]!) === 0;
    this.#tools = { ...tools, capacity: (index) => (isOut(index) ? 0 : tools.capacity(index)) };
    this.#candidates = this.#members
      .map(({ id, weight }, index) => ({ index, id, weight }))
      .filter(({ weight }) => weight > 0);
    if (this.#candidates.length > 0) this.#picker = this.#policy.prepare(this.#candidates, this.#tools, this.#options);
  }

  #prepareWeighted(version: number): void {
    const ramping: number[] = [];
    const candidates: Candidate[] = [];
    for (const [index, { id }] of this.#members.entries()) {
      const row = this.#rows[index];
      const effective = this.#weightOf(index);
      if (effective === 0) continue;
      candidates.push({ index, id, weight: effective });
      if (version !== 0 && row !== undefined && (this.#words.flags(row) & HEALTH_FLAG.ramp) !== 0) ramping.push(index);
    }
    this.#candidates = candidates;
    this.#picker = candidates.length === 0 ? null : this.#pickerOf(candidates, ramping);
  }

  #pickerOf(candidates: readonly Candidate[], ramping: readonly number[]): Picker {
    if (ramping.length === 0) return this.#policy.prepare(candidates, this.#tools, this.#options);
    const cap = new ShareCap(candidates, ramping, this.#tools);
    const picker = this.#policy.prepare(candidates, cap.tools, this.#options);
    return { pick: (key, tried) => cap.pick(picker, key, tried), explain: (key) => cap.explain(picker, key) };
  }
}
