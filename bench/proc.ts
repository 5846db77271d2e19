import { readdirSync, readFileSync } from "node:fs";

/** What /proc/PID/stat says of one process, times in clock ticks. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly startedAt: number;
  /** Time of the process and of its children that it has waited for, in its own code … */
  readonly userTicks: number;
  /** … and in the kernel on its behalf. */
  readonly kernelTicks: number;
}

/** Processor seconds used so far by a process tree. */
export interface CpuSeconds {
  readonly all: number;
  /** Of which in the kernel. */
  readonly kernel: number;
  /** Without the root when it has children: the workers alone. */
  readonly workers: number;
}

/** USER_HZ, which Linux shows to programs as 100 on every architecture that Bun runs on. */
const ticksPerSecond = 100;

/** A process and all its descendants, the root first; empty when it has ended. */
export function processTree(pid: number): readonly ProcessStat[] {
  const all: ProcessStat[] = [];
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat !== undefined) all.push(stat);
  }
  const tree = all.filter((stat) => stat.pid === pid);
  for (const member of tree) tree.push(...all.filter((stat) => stat.parent === member.pid));
  return tree;
}

/** Reads the text of /proc/PID/stat. */
export function parseStat(pid: number, text: string): ProcessStat {
  // Fields after the name in parentheses, which may hold anything; numbers as in proc(5), less 3.
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const at = (index: number): number => fields[index] ?? 0;
  return { pid, parent: at(1), startedAt: at(19), userTicks: at(11) + at(13), kernelTicks: at(12) + at(14) };
}

/** True while the process with this id is still the one that was read. */
export function sameProcess(member: ProcessStat): boolean {
  return readStat(member.pid)?.startedAt === member.startedAt;
}

/** Processor time of the tree under a process. */
export function cpuSeconds(pid: number): CpuSeconds {
  const tree = processTree(pid);
  const kernel = sum(tree.map((member) => member.kernelTicks)) / ticksPerSecond;
  return { all: bothSeconds(tree), kernel, workers: bothSeconds(workersOf(tree)) };
}

/** One field of /proc/PID/smaps_rollup in bytes, summed over the tree or over its workers alone. */
export function memoryBytes(pid: number, field: "Rss" | "Anonymous", of: "all" | "workers"): number {
  const tree = processTree(pid);
  return sum((of === "all" ? tree : workersOf(tree)).map((member) => rollup(member.pid, field)));
}

function workersOf(tree: readonly ProcessStat[]): readonly ProcessStat[] {
  return tree.length > 1 ? tree.slice(1) : tree;
}

function bothSeconds(members: readonly ProcessStat[]): number {
  return sum(members.map((member) => member.userTicks + member.kernelTicks)) / ticksPerSecond;
}

function rollup(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/smaps_rollup has no ${field}`);
  return Number(kib) * 1024;
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
