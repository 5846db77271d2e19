import { closeSync, fstatSync, ftruncateSync, openSync, read, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * What one process leaves for another in a file without a name, which both have open: as large as it may be, and nobody waits on a socket for it.
 * It has sheets, each of which is read when it is wanted. A descriptor is the caller's to close.
 */

/** Bytes of a number in the head of a letter: how many sheets, then how long each is. */
const NUMBER = 4;

/** Opens one with something in it. */
export function newLetter(sheets: readonly Uint8Array[]): number {
  const path = join(tmpdir(), `weir-${process.pid}-${crypto.randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  try {
    unlinkSync(path);
    writeLetter(fd, sheets);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Puts something else in it. @throws where the disk is full */
export function writeLetter(fd: number, sheets: readonly Uint8Array[]): void {
  const head = Buffer.alloc((1 + sheets.length) * NUMBER);
  for (const [i, number] of [sheets.length, ...sheets.map(({ length }) => length)].entries())
    head.writeUInt32LE(number, i * NUMBER);
  ftruncateSync(fd, 0);
  let at = 0;
  for (const bytes of [head, ...sheets])
    for (let done = 0; done < bytes.length;) {
      const written = writeSync(fd, bytes, done, bytes.length - done, at);
      done += written;
      at += written;
    }
}

/** What is in it; `null` where that is nothing whole. Read by threads of the runtime, so that the event loop goes on. */
export async function readLetter(fd: number): Promise<readonly Buffer[] | null> {
  const count = await numbersAt(fd, 0, 1);
  if (count === null) return null;
  const lengths = await numbersAt(fd, NUMBER, count[0]!);
  if (lengths === null) return null;
  const sheets: Buffer[] = [];
  let at = (1 + lengths.length) * NUMBER;
  for (const length of lengths) {
    const sheet = await bytesAt(fd, at, length);
    if (sheet === null) return null;
    sheets.push(sheet);
    at += length;
  }
  return sheets;
}

async function numbersAt(fd: number, at: number, count: number): Promise<readonly number[] | null> {
  const bytes = await bytesAt(fd, at, count * NUMBER);
  return bytes === null ? null : Array.from({ length: count }, (_, i) => bytes.readUInt32LE(i * NUMBER));
}

async function bytesAt(fd: number, at: number, length: number): Promise<Buffer | null> {
  if (at + length > fstatSync(fd).size) return null;
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length;) {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    read(fd, bytes, done, length - done, at + done, (error, count) => (error ? reject(error) : resolve(count)));
    const count = await promise;
    if (count === 0) return null;
    done += count;
  }
  return bytes;
}
