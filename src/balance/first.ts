import { decided, type Explained } from "./explained.ts";
import type { Picker, Policy, Tools } from "./policy.ts";
import type { Tried } from "./tried.ts";

/**
 * The first backend in the list that still has room, so that the last ones stay idle and may be switched off.
 * The only policy that reads `capacity`. O(backends that are full) a pick; weights have no say.
 * HAProxy's `balance first`.
 */
export const first: Policy = {
  name: "first",
  keyed: false,
  loads: [],
  learns: () => false,
  prepare: (candidates, tools) =>
    new FirstPicker(
      Uint32Array.from(candidates, (candidate) => candidate.index),
      tools,
    ),
};

const NOTHING_TRIED: Tried = [];

class FirstPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #tools: Tools;

  constructor(indexes: Uint32Array, tools: Tools) {
    this.#indexes = indexes;
    this.#tools = tools;
  }

  pick(_key: number, tried: Tried = NOTHING_TRIED): number {
    const tools = this.#tools;
    for (const index of this.#indexes) {
      if (!tried.includes(index) && tools.inFlight(index) < tools.capacity(index)) return index;
    }
    return -1;
  }

  explain(): Explained {
    const { inFlight, capacity } = this.#tools;
    const choice = this.pick(0);
    return decided(
      choice,
      "room left, where there is a limit; the first one in the list with room wins",
      choice === -1 ? "none has room" : "the first in the list with room",
      [...this.#indexes].map((index) => {
        const room = capacity(index) - inFlight(index);
        return { index, score: room === Infinity ? null : room, refused: room > 0 ? "" : "full" };
      }),
    );
  }
}
