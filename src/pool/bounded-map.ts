/**
 * A map by text that never holds more than twice its size: when it is full, what was not asked for since it was full the last
 * time is forgotten at once. O(1) for each call, and no order to keep.
 */
export class BoundedMap<T> {
  readonly #size: number;
  #young: Map<string, T> = new Map();
  #old: Map<string, T> = new Map();

  constructor(size: number) {
    this.#size = size;
  }

  /** The value, `null` where there is none or it is forgotten. */
  get(key: string): T | null {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return null;
    this.set(key, old);
    return old;
  }

  set(key: string, value: T): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
