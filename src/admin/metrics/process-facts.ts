import { readdirSync, readFileSync, statSync } from "node:fs";

/** What the system knows of a process. */
export interface ProcessFacts {
  /** Processor time it has used, in user and kernel mode. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** When it started, in seconds since 1970. */
  readonly startedSeconds: number;
  /** `null` where that may not be read: it is another user's. */
  readonly openDescriptors: number | null;
  /** `null` where there is no limit, or it may not be read. */
  readonly mostDescriptors: number | null;
}

/** Times in /proc are in hundredths of a second on every Linux: USER_HZ (proc_pid_stat(5)). */
const TICKS = 100;
/** Fields of /proc/PID/stat behind the name of the program, which may hold spaces itself. */
const STAT = { utime: 11, stime: 12, starttime: 19 } as const;

let bootSeconds = 0;

/** Asks the system about a process, not the process. `null` where it is gone, or there is no /proc. Some 100 µs. */
export function processFacts(pid: number): ProcessFacts | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (at: number): number => Number(fields[at]);
    return {
      cpuSeconds: (field(STAT.utime) + field(STAT.stime)) / TICKS,
      residentBytes: kibibytes(status, "VmRSS"),
      virtualBytes: kibibytes(status, "VmSize"),
      startedSeconds: (bootSeconds ||= bootTime()) + field(STAT.starttime) / TICKS,
      openDescriptors: openDescriptors(pid),
      mostDescriptors: mostDescriptors(pid),
    };
  } catch {
    return null;
  }
}

function bootTime(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"))?.[1] ?? 0);
}

/** 0 for a process that has ended and is not yet collected. */
function kibibytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024;
}

function openDescriptors(pid: number): number | null {
  const folder = `/proc/${pid}/fd`;
  try {
    // Since Linux 6.2 the size is their number; before it is 0, and they must be listed.
    return statSync(folder).size || readdirSync(folder).length;
  } catch {
    return null;
  }
}

function mostDescriptors(pid: number): number | null {
  try {
    const most = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "latin1"))?.[1];
    return most === undefined ? null : Number(most);
  } catch {
    return null;
  }
}
