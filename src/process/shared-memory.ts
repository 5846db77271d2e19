import { closeSync, existsSync, fchownSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Identity } from "./identity.ts";

/** Memory that several processes map. */
export interface SharedMemory {
  /** An open file descriptor of it, to be handed to other processes. */
  readonly fd: number;
  readonly memory: ArrayBufferLike;
  /** Closes the descriptor, to be called once; the mapping lives as long as the process. */
  close(): void;
}

// Linux keeps files here in memory. Elsewhere the temporary folder does: the pages are mapped, and nobody syncs them.
const IN_MEMORY = "/dev/shm";

function create(folder: string, bytes: number, owner: Identity | null): SharedMemory {
  const path = join(folder, `weir-${process.pid}-${crypto.randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  try {
    // Mapping it means to open it again.
    if (owner !== null) fchownSync(fd, owner.uid, owner.gid);
    // Written, not only sized: a full file system says so now instead of killing a worker at its first store.
    const zeros = new Uint8Array(64 * 1024);
    for (let left = bytes; left > 0;) left -= writeSync(fd, zeros, 0, Math.min(left, zeros.length));
    return { fd, memory: Bun.mmap(path, { shared: true }).buffer, close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    // Nobody needs the name: others get the descriptor. So nothing is left behind, however the process ends.
    unlinkSync(path);
  }
}

/** New shared memory, zeroed. @param owner who else than this user maps it */
export function createSharedMemory(bytes: number, owner: Identity | null = null): SharedMemory {
  if (existsSync(IN_MEMORY)) {
    try {
      return create(IN_MEMORY, bytes, owner);
    } catch {
      // Small in some containers (64 MiB), or not writable.
    }
  }
  return create(tmpdir(), bytes, owner);
}

/** Maps shared memory that another process created and handed down as a file descriptor. */
export function mapSharedMemory(fd: number): ArrayBufferLike {
  // Opening the descriptor's name finds the file although its own name is gone (proc_pid_fd(5); fd(4) on BSD).
  const path = process.platform === "linux" ? `/proc/self/fd/${fd}` : `/dev/fd/${fd}`;
  const memory = Bun.mmap(path, { shared: true }).buffer;
  closeSync(fd);
  return memory;
}
