import { sharedStateBytes, sharedStateOver } from "../engine/shared-state.ts";
import { type Placement, placementOf } from "../engine/placement.ts";
import type { Config } from "../config/schema/schema.ts";
import { diff } from "../config/diff.ts";
import type { Plan } from "../plan.ts";
import { HealthKeeper } from "../pool/keeper.ts";
import { Events } from "../process/events.ts";
import { LiveConfig } from "../process/load/live-config.ts";
import { silentLog } from "../observe/log.ts";
import { seededRandom } from "../random.ts";
import type { Phase, Running, Seat } from "./running.ts";

/** A Weir that is played: its configuration and its counters are real, its workers are what a test says. */
export interface FakeRunning extends Running {
  plan: Plan;
  placement: Placement;
  generation: number;
  phase: Phase;
  seats: readonly Seat[];
  /** The time of its clock, in milliseconds. */
  nowMs: number;
  /** What workers answer. */
  answer: (pid: number, question: string, argument: unknown) => unknown;
  stop: (now: boolean) => void;
}

const EVIDENCE = { strikes: () => 0, notices: () => 0, attempts: () => 0, failures: () => 0 };
const ROOM = 1000;

/** @param config as a user writes it; `stateFolder` is a test's own */
export async function fakeRunning(config: Config & { readonly stateFolder: string }): Promise<FakeRunning> {
  const live = new LiveConfig({ kind: "object", config });
  const first = await live.begin();
  if ("problems" in first) throw new Error(JSON.stringify(first.problems));
  const workers = 2;
  const shape = { workers, rows: ROOM, cursors: ROOM };
  const { counters, words } = sharedStateOver(new ArrayBuffer(sharedStateBytes(shape)), shape);
  const keepers = new Map<string, HealthKeeper>();
  const running: FakeRunning = {
    plan: first.plan,
    placement: { ...placementOf(first.plan, workers), shape },
    generation: 1,
    planHash: "0123abcd",
    phase: "running",
    startedAt: 1_700_000_000_000,
    counters,
    words,
    events: new Events(() => 1_700_000_000_000 + running.nowMs),
    seats: [0, 1].map((worker) => ({
      worker,
      pid: 100 + worker,
      state: "running",
      startedAt: 1_700_000_000_000,
      deaths: 0,
      leavingPid: null,
    })),
    reloaded: { ok: true, succeededAt: 1_700_000_000_000 },
    nowMs: 0,
    answer: (_pid, question) => (question === "clients" ? { connections: [], total: 0 } : {}),
    now: () => running.nowMs,
    wallNow: () => 1_700_000_000_000 + running.nowMs,
    keeper: (pool) => keepers.get(pool) ?? null,
    ask: async (pid, question, argument) => running.answer(pid, question, argument),
    note: (level, event, fields) => void running.events.add(level, event, fields),
    config: live,
    stop() {},
    renew: async (worker) => `worker ${worker} is another process now`,
    upgrade: null,
  };
  const keep = (): void => {
    for (const { name, health, backends } of running.plan.pools) {
      const keeper = keepers.get(name) ?? new HealthKeeper(name, null, seededRandom(1));
      keepers.set(name, keeper);
      keeper.configure(health, backends, EVIDENCE, running.nowMs);
      keeper.look(EVIDENCE, running.nowMs);
    }
  };
  keep();
  live.attach(async (plan, { dryRun }) => {
    const changes = diff(running.plan, plan);
    if (!dryRun && changes.length > 0) {
      running.plan = plan;
      running.placement = { ...placementOf(plan, workers), shape };
      running.generation += 1;
      keep();
    }
    return { ok: true, generation: running.generation, changes, needsUpgrade: [], tookMs: 1 };
  }, silentLog);
  return running;
}
