import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";

/**
 * What one process leaves for another in a file without a name, which both have open: as large as it may be, and nobody waits on a socket for it.
 * Regular expressions stay what they are. A descriptor is the caller's to close.
 */

/** Opens one with something in it. */
export function newLetter(content: unknown): number {
  const path = join(tmpdir(), `weir-${process.pid}-${crypto.randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  try {
    unlinkSync(path);
    writeLetter(fd, content);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Puts something else in it. @throws where it is no data, or the disk is full */
export function writeLetter(fd: number, content: unknown): void {
  const bytes = serialize(content);
  ftruncateSync(fd, 0);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at);
}

/** What is in it; `null` where that is nothing whole. */
export function readLetter(fd: number): unknown {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  for (let at = 0; at < bytes.length;) {
    const read = readSync(fd, bytes, at, bytes.length - at, at);
    if (read === 0) return null;
    at += read;
  }
  try {
    return deserialize(bytes);
  } catch {
    return null;
  }
}
