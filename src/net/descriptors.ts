import { readFileSync } from "node:fs";
import { libc } from "./libc.ts";

/** Taken for the limit where the system does not tell it: the usual soft limit of Linux systems. */
const UNKNOWN_LIMIT = 1024;

/** How many file descriptors this process may have open; a very large number for no limit, `UNKNOWN_LIMIT` where nobody tells. */
export function descriptorLimit(): number {
  const limit = libc()?.openFiles() ?? null;
  return limit === null ? (readLimit() ?? UNKNOWN_LIMIT) : Number(limit.soft);
}

/**
 * Raises the limit as far as the system lets this process, for it and for all that it starts from now on. Where it cannot be raised
 * it stays as it is.
 * @returns what it came to
 */
export function raiseDescriptorLimit(): number {
  const c = libc();
  const limit = c?.openFiles() ?? null;
  if (c !== null && limit !== null && limit.soft < limit.hard) c.setOpenFiles({ ...limit, soft: limit.hard });
  return descriptorLimit();
}

/** What Linux says of this process (proc_pid_limits(5)); `null` elsewhere. */
function readLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? null : soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null;
  }
}
