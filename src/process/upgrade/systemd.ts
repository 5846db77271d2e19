import { addressOfSocket } from "../../net/bind.ts";
import { monotonicMicros, sendToUnixSocket } from "../../net/notify.ts";
import type { Legacy } from "../supervise/sockets.ts";

type Environment = Record<string, string | undefined>;

/** Tells the service manager how Weir is (sd_notify(3)). Says nothing where there is none. */
export interface ServiceManager {
  /** Started, or done with a reload. @param status a line for people */
  ready(status: string): void;
  /** What is in force is something else. @param status a line for people */
  status(status: string): void;
  reloading(): void;
  stopping(): void;
  /** Another process is the service's main one from now on. */
  succeededBy(pid: number): void;
  /** How often it wants to hear that Weir is alive, in milliseconds; `null` for never. */
  readonly watchdogMs: number | null;
  alive(): void;
}

/**
 * The service manager that started this process.
 * @param successor whether the process that it started was another one, which this one has taken over from
 */
export function serviceManager(environment: Environment, successor: boolean): ServiceManager {
  const path = environment["NOTIFY_SOCKET"];
  const say = (...lines: readonly string[]): void => {
    if (path !== undefined) sendToUnixSocket(path, lines.join("\n"));
  };
  return {
    ready: (status) => say("READY=1", `STATUS=${status}`),
    status: (status) => say(`STATUS=${status}`),
    reloading: () => say("RELOADING=1", `MONOTONIC_USEC=${monotonicMicros() ?? 0n}`),
    stopping: () => say("STOPPING=1"),
    succeededBy: (pid) => say(`MAINPID=${pid}`),
    watchdogMs: path === undefined ? null : watchdogMs(environment, successor),
    alive: () => say("WATCHDOG=1"),
  };
}

/** Half of what it waits for, as sd_watchdog_enabled(3) recommends. */
function watchdogMs(environment: Environment, successor: boolean): number | null {
  const micros = Number(environment["WATCHDOG_USEC"]);
  const pid = environment["WATCHDOG_PID"];
  if (!Number.isInteger(micros) || micros <= 0) return null;
  if (pid !== undefined && Number(pid) !== process.pid && !successor) return null;
  return Math.max(1, Math.floor(micros / 2000));
}

/** The first descriptor that a service manager hands down (sd_listen_fds(3)). */
const FIRST_FD = 3;

/**
 * Listening sockets that the service manager has opened for this process (socket activation). Listeners find theirs by the address; the
 * names of LISTEN_FDNAMES make no difference. The variables are removed, so that no other process takes them for its own.
 */
export function activatedSockets(environment: Environment): readonly Legacy[] {
  const { LISTEN_FDS: count, LISTEN_PID: pid } = environment;
  for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) delete environment[name];
  if (count === undefined || Number(pid) !== process.pid) return [];
  const sockets: Legacy[] = [];
  for (let fd = FIRST_FD; fd < FIRST_FD + Number(count); fd++) {
    const address = addressOfSocket(fd);
    // Whoever opened them goes on holding them, so all workers take from this one queue.
    if (address !== null) sockets.push({ address, fds: [fd], more: false, listener: null });
  }
  return sockets;
}
