import { expect, test } from "bun:test";
import { metricsText } from "../../src/admin/metrics/text.ts";
import type { MetricsView } from "../../src/admin/metrics/view.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { LiveConfig } from "../../src/process/load/live-config.ts";
import { Supervisor } from "../../src/process/supervise/supervisor.ts";
import { until } from "../fixtures/cluster.ts";
import { lint } from "../fixtures/exposition-lint.ts";
import { type ReadFamily, readExposition } from "../fixtures/exposition.ts";
import { backend, Client, get } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** The supervisor has all that metrics are read from, and its configuration the rest. */
function viewOf(supervisor: Supervisor): MetricsView {
  const { plan, placement, counters, words, generation, startedAt, seats, liveConfig } = supervisor;
  const { reloaded } = liveConfig;
  const keeper: MetricsView["keeper"] = (pool) => supervisor.keeper(pool);
  return { plan, placement, counters, words, generation, startedAt, seats, reloaded, keeper };
}

function sum(families: readonly ReadFamily[], name: string): number {
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
  return samples.reduce((total, { value }) => total + value, 0);
}

test("two worker processes are added up, nothing is lost with one that dies, and both are told of", async () => {
  await using server = backend();
  const config = {
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [`127.0.0.1:${server.port}`] } },
    workers: 2,
    stateFolder: folder.path,
  };
  const liveConfig = new LiveConfig({ kind: "object", config });
  const first = await liveConfig.begin();
  if (!("plan" in first)) throw new Error(JSON.stringify(first.problems));
  const supervisor = await Supervisor.start({ plan: first.plan, log: silentLog, clock: systemClock, liveConfig });
  const read = (): readonly ReadFamily[] => {
    const families = readExposition(metricsText(viewOf(supervisor)));
    expect(lint(families)).toEqual([]);
    return families;
  };
  const ask = async (connections: number): Promise<void> => {
    const { address } = supervisor.plan.listeners[0]!;
    if (address.kind !== "tcp") throw new Error("no port");
    for (let i = 0; i < connections; i++) {
      await using user = new Client(await connectRaw(address.port));
      for (let n = 0; n < 5; n++) expect((await user.ask(get())).status).toBe(200);
    }
  };
  try {
    // New connections go to either of them as the system likes.
    await ask(30);
    // A worker counts what is over when the last byte of its response has left: this process may be ahead of it.
    await until(() => {
      const families = read();
      const counts = ["backend", "pool"].map((of) => sum(families, `weir_${of}_request_duration_seconds_count`));
      return counts.every((count) => count >= 150) && sum(families, "weir_listener_in_flight") === 0;
    });
    const before = read();
    expect(sum(before, "weir_listener_requests_total")).toBe(150);
    expect(sum(before, "weir_pool_request_duration_seconds_count")).toBe(150);
    expect(sum(before, "weir_backend_request_duration_seconds_count")).toBe(150);
    expect([sum(before, "weir_workers"), sum(before, "weir_worker_up")]).toEqual([2, 2]);
    expect(sum(before, "weir_generation")).toBe(supervisor.generation);
    const { pid } = supervisor.seats[1]!;
    process.kill(pid!, "SIGKILL");
    await until(() => supervisor.seats[1]!.deaths === 1 && supervisor.seats[1]!.state === "running");
    const after = read();
    for (const name of ["weir_listener_requests_total", "weir_pool_request_duration_seconds_count"])
      expect([name, sum(after, name)]).toEqual([name, 150]);
    expect([sum(after, "weir_worker_deaths_total"), sum(after, "weir_listener_in_flight")]).toEqual([1, 0]);
    await ask(10);
    expect(sum(read(), "weir_listener_requests_total")).toBe(200);
    expect(await liveConfig.reload()).toMatchObject({ ok: true });
    expect(sum(read(), "weir_config_last_reload_successful")).toBe(1);
    if (process.platform !== "linux") return;
    const memory = read().find(({ name }) => name === "process_resident_memory_bytes")!.samples;
    expect(memory.map(({ labels }) => labels["process"])).toEqual(["supervisor", "worker-0", "worker-1"]);
    for (const { value } of memory) expect(value).toBeGreaterThan(10e6);
  } finally {
    await supervisor.stop();
  }
});

const folder = temporaryFolder();
