/** Bytes that wait in order: a buffer of the system. */
export class ByteQueue {
  #buffers: Buffer[] = [];
  /** How many. */
  length = 0;

  push(bytes: Buffer): void {
    this.#buffers.push(bytes);
    this.length += bytes.length;
  }

  /** Takes the first bytes out, to be pushed into another queue: where they stand in one buffer they are not copied. */
  move(count: number): Buffer {
    const first = this.#buffers[0];
    if (first === undefined || first.length < count) return this.take(count);
    this.length -= count;
    if (first.length > count) this.#buffers[0] = first.subarray(count);
    else this.#buffers.shift();
    return first.length > count ? first.subarray(0, count) : first;
  }

  /** Takes the first bytes out, in a fresh buffer of just that size, as Bun gives it: its memory is its own. */
  take(count: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(count);
    let at = 0;
    while (at < count) {
      const first = this.#buffers[0];
      if (first === undefined) throw new RangeError(`${count} bytes of ${this.length}`);
      const copied = first.copy(bytes, at);
      if (copied === first.length) this.#buffers.shift();
      else this.#buffers[0] = first.subarray(copied);
      at += copied;
    }
    this.length -= count;
    return bytes;
  }

  clear(): void {
    this.#buffers = [];
    this.length = 0;
  }
}
