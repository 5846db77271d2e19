/** The last values of a measure, one a second, in a ring: memory is what it was at the start. `NaN` where there was none. */
export class Series {
  readonly #values: Float32Array;
  #next = 0;
  #size = 0;

  /** @param capacity how many are kept */
  constructor(capacity: number) {
    this.#values = new Float32Array(capacity).fill(Number.NaN);
  }

  get size(): number {
    return this.#size;
  }

  push(value: number | null): void {
    this.#values[this.#next] = value ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#values.length;
    this.#size = Math.min(this.#size + 1, this.#values.length);
  }

  /** The newest but `back`; `null` where there is none. O(1). */
  last(back = 0): number | null {
    const { length } = this.#values;
    const value = this.#values[(this.#next - 1 - back + 2 * length) % length] ?? Number.NaN;
    return back >= this.#size || Number.isNaN(value) ? null : value;
  }

  /** The greatest that is remembered; 0 without any. O(n). */
  get highest(): number {
    let most = 0;
    for (const value of this.#values) if (value > most) most = value; // NaN is not
    return most;
  }

  /** From the oldest to the newest, `null` where there was none, in an array that may be kept. O(n). */
  values(count: number = this.#size): (number | null)[] {
    const taken = Math.min(count, this.#size);
    return Array.from({ length: taken }, (_, i) => this.last(taken - 1 - i));
  }
}
