import { type Candidate, DEFAULT_OPTIONS, type Picker, type Policy, type PolicyOptions, type Tools } from "../balance/policy.ts";
import { pickUntried } from "../balance/exclude.ts";

/** A backend as its pool sees it. */
export interface Member {
  /** Its address in canonical text. */
  readonly id: string;
  /** 0 takes no new work. */
  readonly weight: number;
}

/** Chooses among the backends of a pool. The picker is made when they change; a request only reads it. */
export class Pool {
  readonly name: string;
  readonly #candidates: readonly Candidate[];
  readonly #picker: Picker | null;
  readonly #tools: Tools;

  constructor(
    name: string,
    policy: Policy,
    members: readonly Member[],
    tools: Tools,
    options: PolicyOptions = DEFAULT_OPTIONS,
  ) {
    this.name = name;
    this.#candidates = members
      .map(({ id, weight }, index) => ({ index, id, weight }))
      .filter(({ weight }) => weight > 0);
    this.#picker = this.#candidates.length === 0 ? null : policy.prepare(this.#candidates, tools, options);
    this.#tools = tools;
  }

  /**
   * Chooses a backend for an attempt.
   * @param key of the request or connection, 0 where the policy has none
   * @param tried the backends that this exchange has tried already: none of them is chosen again
   * @returns its position in the pool, -1 when none is left or none takes new work
   */
  pick(key: number, tried: readonly number[]): number {
    const picker = this.#picker;
    if (picker === null) return -1;
    if (tried.length === 0) return picker.pick(key);
    return pickUntried(picker, key, this.#candidates, tried, this.#tools);
  }
}
