import type { Picker, Policy, Tools } from "./policy.ts";

/**
 * The first backend in the list that still has room, so that the last ones stay idle and may be switched off.
 * The only policy that reads `capacity`. O(backends that are full) a pick; weights have no say.
 * HAProxy's `balance first`.
 */
export const first: Policy = {
  name: "first",
  keyed: false,
  prepare: (candidates, tools) =>
    new FirstPicker(
      Uint32Array.from(candidates, (candidate) => candidate.index),
      tools,
    ),
};

class FirstPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #tools: Tools;

  constructor(indexes: Uint32Array, tools: Tools) {
    this.#indexes = indexes;
    this.#tools = tools;
  }

  pick(): number {
    const tools = this.#tools;
    for (const index of this.#indexes) {
      if (tools.inFlight(index) < tools.capacity(index)) return index;
    }
    return -1;
  }
}
