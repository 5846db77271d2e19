import { childrenOf, gone } from "../test/fixtures/weir-process.ts";
import type { Act, Fault } from "./fault.ts";
import { givenUp } from "./ports.ts";
import { LANES } from "./stage.ts";

/** How a client sees that the worker it spoke to was killed. */
const WORKER_LOST = ["connection ended", "connection reset"];
/** Each client has one request on its way at the most. */
const KILLED = { idempotent: WORKER_LOST, other: WORKER_LOST, most: LANES };

/** What is left of a killed Weir ends within this time, and one that died is replaced: at once, but for the machine. */
const GONE_MS = 15_000;

const workerKilled: Fault = {
  name: "a worker killed",
  excuses: KILLED,
  async happen({ weir }) {
    const [victim = 0] = childrenOf(weir.pid);
    process.kill(victim, "SIGKILL");
    await weir.event("worker replaced", { replaced: victim });
    return [];
  },
};

const allWorkersKilled: Fault = {
  name: "all workers killed",
  excuses: KILLED,
  async happen({ weir }) {
    const victims = childrenOf(weir.pid);
    for (const victim of victims) process.kill(victim, "SIGKILL");
    await Promise.all(victims.map((replaced) => weir.event("worker replaced", { replaced })));
    return [];
  },
};

const supervisorKilled: Fault = {
  name: "the supervisor killed",
  excuses: {
    idempotent: [...WORKER_LOST, "connection refused"],
    other: [...WORKER_LOST, "connection refused"],
  },
  last: true,
  async happen({ weir, port }) {
    const workers = childrenOf(weir.pid);
    weir.signal("SIGKILL");
    await weir.exited;
    const all = Promise.all(workers.map(gone)).then(() => true);
    const ended = await Promise.race([all, Bun.sleep(GONE_MS).then(() => false)]);
    return [
      ...(workers.length === 2 ? [] : [`there were ${workers.length} workers`]),
      ...(ended ? [] : ["workers are left running"]),
      ...((await givenUp(port, GONE_MS)) ? [] : ["something still listens"]),
    ];
  },
};

/** What happens to Weir's own processes. */
export const PROCESSES: Act = {
  name: "Weir's processes",
  setting: {},
  faults: [workerKilled, allWorkersKilled, supervisorKilled],
};

/** A worker dies, which is said in the log, and nothing of the log can be written. */
export const LOGS: Act = {
  name: "log on a full disk",
  setting: { logsLost: true },
  faults: [
    { name: "none", excuses: {}, happen: async ({ load }) => (await load.answered(200), []) },
    {
      name: "a backend and a worker killed",
      excuses: {
        idempotent: [...WORKER_LOST, "502 BACKEND_RESET"],
        other: [...WORKER_LOST, "502 BACKEND_RESET"],
        most: 2 * LANES,
      },
      async happen({ weir, backends: [backend], load }) {
        const before = childrenOf(weir.pid);
        await backend.kill();
        await load.answered(100);
        process.kill(before[0] ?? 0, "SIGKILL");
        await gone(before[0] ?? 0);
        await load.answered(200);
        await backend.startAgain();
        const replaced = (): boolean => {
          const after = childrenOf(weir.pid);
          return after.length === before.length && after.includes(before[1] ?? 0);
        };
        const deadline = performance.now() + GONE_MS;
        // It cannot say so, and the other one has answered meanwhile.
        while (!replaced() && performance.now() < deadline) await Bun.sleep(50);
        return replaced() ? [] : ["the worker was not replaced"];
      },
    },
  ],
};
