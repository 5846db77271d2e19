import { closeSync, existsSync, fchownSync, ftruncateSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Memory, PART_BYTES } from "../observe/memory.ts";
import type { Identity } from "./identity.ts";

/** Bytes from the first to before the last. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** Memory that several processes map. */
export interface SharedMemory {
  /** An open file descriptor of it, to be handed to other processes. */
  readonly fd: number;
  readonly memory: Memory;
  /** Makes sure that there is memory of these bytes, zeroed, before anybody stores to it. @throws where there is none */
  reserve(ranges: readonly ByteRange[]): void;
  /** Closes the descriptor, to be called once; the mapping lives as long as the process. */
  close(): void;
}

// Linux keeps files here in memory. Elsewhere the temporary folder does: the pages are mapped, and nobody syncs them.
const IN_MEMORY = "/dev/shm";

const ZEROS = new Uint8Array(64 * 1024);

/** Written, not only sized: a full file system says so now instead of killing a worker at its first store. */
function reserve(fd: number, ranges: readonly ByteRange[]): void {
  for (const { from, to } of ranges)
    for (let at = from; at < to;) at += writeSync(fd, ZEROS, 0, Math.min(to - at, ZEROS.length), at);
}

function create(folder: string, bytes: number, owner: Identity | null, first: readonly ByteRange[]): SharedMemory {
  const path = join(folder, `weir-${process.pid}-${crypto.randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  try {
    // Mapping it means to open it again.
    if (owner !== null) fchownSync(fd, owner.uid, owner.gid);
    ftruncateSync(fd, bytes);
    reserve(fd, first);
    const memory = mapSharedMemory(fd);
    // Once, for a system that does not let it be mapped.
    memory.part(0, PART_BYTES);
    return { fd, memory, reserve: (ranges) => reserve(fd, ranges), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    // Nobody needs the name: others get the descriptor. So nothing is left behind, however the process ends.
    unlinkSync(path);
  }
}

/**
 * New shared memory, zeroed. What is not reserved takes no room, and is not to be touched.
 * @param owner who else than this user maps it
 * @param first what is reserved from the beginning
 */
export function createSharedMemory(
  bytes: number,
  owner: Identity | null = null,
  first: readonly ByteRange[] = [{ from: 0, to: bytes }],
): SharedMemory {
  if (existsSync(IN_MEMORY)) {
    try {
      return create(IN_MEMORY, bytes, owner, first);
    } catch {
      // Small in some containers (64 MiB), or not writable.
    }
  }
  return create(tmpdir(), bytes, owner, first);
}

/**
 * Shared memory that this process or another one has created, by its file descriptor, which has to stay open: parts of it are mapped when they
 * are asked for. All that is mapped counts as garbage that is not one for the runtime, which then collects less often.
 */
export function mapSharedMemory(fd: number): Memory {
  // Opening the descriptor's name finds the file although its own name is gone (proc_pid_fd(5); fd(4) on BSD).
  const path = process.platform === "linux" ? `/proc/self/fd/${fd}` : `/dev/fd/${fd}`;
  return {
    part(from, to) {
      // Its declarations leave offset and size out.
      const options: { shared: boolean; offset: number; size: number } = {
        shared: true,
        offset: from,
        size: to - from,
      };
      return { buffer: Bun.mmap(path, options).buffer, at: 0 };
    },
  };
}
