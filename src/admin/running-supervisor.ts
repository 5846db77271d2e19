import { WeirError } from "../errors.ts";
import type { Supervisor } from "../process/supervise/supervisor.ts";
import type { Running } from "./running.ts";

/**
 * A supervisor as its admin API sees it.
 * @param stop drains, or ends at once
 */
export function runningSupervisor(supervisor: Supervisor, stop: (now: boolean) => void): Running {
  return {
    get plan() {
      return supervisor.plan;
    },
    get placement() {
      return supervisor.placement;
    },
    get generation() {
      return supervisor.generation;
    },
    get planHash() {
      return supervisor.planHash;
    },
    get phase() {
      return supervisor.phase;
    },
    get seats() {
      return supervisor.seats;
    },
    get reloaded() {
      return supervisor.liveConfig.reloaded;
    },
    startedAt: supervisor.startedAt,
    counters: supervisor.counters,
    words: supervisor.words,
    events: supervisor.events,
    config: supervisor.liveConfig,
    now: () => supervisor.clock.now(),
    wallNow: Date.now,
    keeper: (pool) => supervisor.keeper(pool),
    async ask(pid, question, argument) {
      try {
        return await supervisor.ask(pid, question, argument);
      } catch (error) {
        const reason = error instanceof WeirError ? error.detail : String(error);
        throw new WeirError("ADMIN_UNAVAILABLE", `process ${pid}: ${reason}`, error);
      }
    },
    note: (level, event, fields) => supervisor.log[level](event, fields),
    stop,
    async renew(worker) {
      const { pid, leavingPid } = await supervisor.renewWorker(worker);
      return `worker ${worker} is process ${pid} now; ${leavingPid} finishes what it has open`;
    },
    async upgrade() {
      const report = await supervisor.upgrade();
      if (report.ok) return `process ${report.pid} has taken over`;
      const [problem] = report.problems;
      throw new WeirError(problem?.code ?? "UPGRADE_FAILED", problem?.message ?? "");
    },
  };
}
