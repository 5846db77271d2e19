import { BackendProcess } from "../backend-process.ts";
import { freePort } from "../ports.ts";
import type { BalancerProgram } from "./balancer.ts";
import { Traffic } from "./load.ts";
import { changes, firstShape } from "./shapes.ts";
import type { TrafficTally } from "./traffic.ts";

/** What became of a balancer's changes. */
export interface Changed {
  readonly title: string;
  /** How many changes there were, and what else was done. */
  readonly changes: number;
  readonly acts: readonly string[];
  readonly tally: TrafficTally;
  /** Processes at the start and after the last change, while the load goes on. */
  readonly processes: readonly [before: number, after: number];
  /** Memory of all of them, in MiB: each page once (`Pss` of smaps_rollup). */
  readonly memory: readonly [before: number, after: number];
}

/** Answers of each kind before the first change, and after the last. */
const AROUND = 3;

/** Between two changes: not all say when their new configuration is in force, but it is by then. */
const PACE_MS = 100;

/** Changes a balancer so many times under the load of all kinds of clients. */
export async function playChanges(program: BalancerProgram, many: number): Promise<Changed> {
  await using opened = new AsyncDisposableStack();
  const backends: number[] = [];
  for (let i = 0; i < 4; i++) backends.push(opened.use(await BackendProcess.start("changes/backend.ts")).port);
  const balancer = opened.use(await program.start(firstShape(backends)));
  const traffic = opened.use(new Traffic(balancer.port));
  await traffic.answered(AROUND);
  const before = balancer.processes();
  const memoryBefore = memoryOf(before);
  for (const { shape } of changes(backends, freePort(), many)) {
    await balancer.change(shape);
    await Bun.sleep(PACE_MS);
  }
  const acts: string[] = [];
  for (const { name, run } of balancer.acts) {
    await run();
    acts.push(name);
    await traffic.answered(1);
  }
  const after = balancer.processes();
  const memoryAfter = memoryOf(after);
  await traffic.answered(AROUND);
  const tally = await traffic.end();
  return {
    title: program.title,
    changes: many,
    acts,
    tally,
    processes: [before.length, after.length],
    memory: [memoryBefore, memoryAfter],
  };
}

function memoryOf(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => {
    const { stdout } = Bun.spawnSync(["cat", `/proc/${pid}/smaps_rollup`], { stderr: "ignore" });
    return Number(/^Pss:\s+(\d+)/m.exec(stdout.toString())?.[1] ?? 0);
  });
  return Math.round(kilobytes.reduce((sum, n) => sum + n, 0) / 1024);
}
