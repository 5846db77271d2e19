import { readdirSync } from "node:fs";
import { libc } from "../../net/libc.ts";

/** Milliseconds: the longest that Linux takes (kernel/sched/syscalls.c). */
const LONG_MS = 100;
const USUAL = 0;
const THIS_THREAD = 0;

/** Of this process; the library leaves its program's alone. */
let own = USUAL;

/**
 * Lets workers in first where processors are short: all threads of this process run at long stretches from now on, which whoever runs at
 * shorter ones interrupts as soon as it has something to do (EEVDF, Linux 6.12 on: the stretch that ends first runs first). What share of the
 * processors it gets stays the same, so that it is never starved.
 */
export function giveWay(): void {
  const system = libc();
  if (system === null) return;
  own = LONG_MS;
  for (const thread of threads()) system.setTimeSlice(thread, own);
}

/** Starts a process that runs at the usual stretches: a process takes over those of the thread that starts it. */
export function startedAsUsual<T>(start: () => T): T {
  const system = own === USUAL ? null : libc();
  system?.setTimeSlice(THIS_THREAD, USUAL);
  try {
    return start();
  } finally {
    system?.setTimeSlice(THIS_THREAD, own);
  }
}

function threads(): readonly number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [THIS_THREAD];
  }
}
