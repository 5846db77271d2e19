/**
 * Idle connections of one backend, the one used last on top: those below grow old and are closed, so that their number
 * follows the load.
 */
export class IdleStack<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /**
   * Keeps one.
   * @param bound the most that are kept
   * @returns whether there was room
   */
  push(item: T, bound: number): boolean {
    if (this.#items.length >= bound) return false;
    this.#items.push(item);
    return true;
  }

  /** The one used last, which is then nobody's; `undefined` where there is none. */
  pop(): T | undefined {
    return this.#items.pop();
  }

  /** The one used last, which stays. */
  peek(): T | undefined {
    return this.#items[this.#items.length - 1];
  }

  /** Forgets one. O(size), which is bounded; rare. */
  remove(item: T): void {
    const at = this.#items.lastIndexOf(item);
    if (at !== -1) this.#items.splice(at, 1);
  }

  /** Takes all out. */
  drain(): T[] {
    return this.#items.splice(0);
  }
}
