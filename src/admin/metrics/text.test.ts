import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { lint } from "../../../test/fixtures/exposition-lint.ts";
import { histogramsOf, type ReadFamily, readExposition } from "../../../test/fixtures/exposition.ts";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { viewOf } from "../../../test/fixtures/metrics-view.ts";
import { COLUMN, CONNECT, DURATION, FIRST_BYTE } from "../../observe/columns.ts";
import { HEALTH_FLAG } from "../../observe/health-words.ts";
import type { Plan } from "../../plan.ts";
import { FAMILIES, metricsParts, metricsText } from "./text.ts";
import type { MetricsView } from "./view.ts";

const TWO = planOf({ backends: ["127.0.0.1:8001", "127.0.0.1:8002"] });

function read(view: MetricsView): readonly ReadFamily[] {
  return readExposition(metricsText(view));
}

/** Numbers of a family by the values of their labels, joined with commas. */
function numbers(families: readonly ReadFamily[], name: string): Record<string, number> {
  const family = families.find((each) => each.name === name);
  if (family === undefined) throw new Error(`no ${name}`);
  return Object.fromEntries(family.samples.map(({ labels, value }) => [Object.values(labels).join(), value]));
}

describe("the text of the metrics", () => {
  test("is of the format, and nothing is said against its names and values", () => {
    const families = read(viewOf(TWO));
    expect(lint(families)).toEqual([]);
    expect(families.map(({ name }) => name)).toEqual(FAMILIES.map(({ name }) => name));
  });

  test("has what was counted on all workers", () => {
    const plan = { ...TWO, workers: 2 };
    const view = viewOf(plan);
    for (const worker of [0, 1]) {
      const backend = view.counters.row(worker, view.placement.backends[0]![1]!);
      backend.add(COLUMN.requests, 3 + worker);
      backend.add(COLUMN.bytesIn, 100);
      backend.add(COLUMN.bytesOut, 1);
      backend.respond(204);
      backend.fail("BACKEND_RESET");
      backend.begin();
      const listener = view.counters.row(worker, view.placement.listeners[0]!);
      listener.respond(503);
      listener.fail("POOL_FULL");
    }
    const families = read(view);
    const of = "all,127.0.0.1:8002";
    expect(numbers(families, "weir_backend_requests_total")).toEqual({ "all,127.0.0.1:8001": 0, [of]: 7 });
    expect(numbers(families, "weir_backend_sent_bytes_total")[of]).toBe(200);
    expect(numbers(families, "weir_backend_received_bytes_total")[of]).toBe(2);
    expect(numbers(families, "weir_backend_responses_total")[`${of},2xx`]).toBe(2);
    expect(numbers(families, "weir_backend_errors_total")[`${of},BACKEND_RESET`]).toBe(2);
    expect(numbers(families, "weir_backend_in_flight")[of]).toBe(2);
    expect(numbers(families, "weir_pool_in_flight")["all"]).toBe(2);
    expect(numbers(families, "weir_listener_responses_total")["web,5xx"]).toBe(2);
    expect(numbers(families, "weir_listener_errors_total")["web,POOL_FULL"]).toBe(2);
    expect(numbers(families, "weir_listener_errors_total")["web,POOL_NO_BACKEND"]).toBe(0);
  });

  test("has no counter that falls when a worker dies", () => {
    const view = viewOf({ ...TWO, workers: 2 });
    const row = view.counters.row(1, view.placement.backends[0]![0]!);
    row.add(COLUMN.requests, 5);
    row.observe(DURATION, 1000);
    row.begin();
    const before = numbers(read(view), "weir_backend_requests_total");
    view.counters.clearWorker(1);
    const after = read(view);
    expect(numbers(after, "weir_backend_requests_total")).toEqual(before);
    expect(numbers(after, "weir_backend_in_flight")["all,127.0.0.1:8001"]).toBe(0);
  });

  test("tells how backends are, by the words of health", () => {
    const plan = planOf({ backends: ["127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003", "127.0.0.1:8004"] });
    const view = viewOf(plan);
    expect(numbers(read(view), "weir_backend_weight")["all,127.0.0.1:8001"]).toBe(1);
    const { down, ejected, drain, ramp } = HEALTH_FLAG;
    const flags = [down | ejected, ejected, drain, ramp];
    view.words.publish(0, view.placement.backends[0]!, { weights: [0, 0, 0, 5], flags, panic: true, scale: 10 });
    const families = read(view);
    const states = Object.entries(numbers(families, "weir_backend_state"));
    expect(states.filter(([, value]) => value === 1).map(([labels]) => labels)).toEqual([
      "all,127.0.0.1:8001,down",
      "all,127.0.0.1:8002,ejected",
      "all,127.0.0.1:8003,drain",
      "all,127.0.0.1:8004,ramp",
    ]);
    expect(Object.values(numbers(families, "weir_backend_up"))).toEqual([0, 0, 1, 1]);
    expect(Object.values(numbers(families, "weir_backend_ejected"))).toEqual([1, 1, 0, 0]);
    expect(Object.values(numbers(families, "weir_backend_weight"))).toEqual([0, 0, 0, 0.5]);
    expect([numbers(families, "weir_pool_panic"), numbers(families, "weir_pool_healthy_backends")]).toEqual([
      { all: 1 },
      { all: 2 },
    ]);
  });

  test("tells of Weir, of its workers, and of what the system knows of them", () => {
    const seats = [
      { worker: 0, pid: process.pid, state: "running", deaths: 2 },
      { worker: 1, pid: null, state: "waiting", deaths: 0 },
    ];
    const reloaded = { ok: false, succeededAt: 1_700_000_000_500 };
    const families = read(viewOf(TWO, { seats, reloaded, generation: 7, startedAt: Date.now() - 5000 }));
    expect(lint(families)).toEqual([]);
    expect(numbers(families, "weir_generation")).toEqual({ "": 7 });
    expect(numbers(families, "weir_config_last_reload_successful")).toEqual({ "": 0 });
    expect(numbers(families, "weir_config_last_reload_success_timestamp_seconds")).toEqual({ "": 1_700_000_000.5 });
    expect(numbers(families, "weir_uptime_seconds")[""]).toBeWithin(5, 60);
    expect(numbers(families, "weir_worker_up")).toEqual({ 0: 1, 1: 0 });
    expect(numbers(families, "weir_worker_deaths_total")).toEqual({ 0: 2, 1: 0 });
    if (process.platform !== "linux") return;
    const { rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const bytes = numbers(families, "process_resident_memory_bytes");
    expect(Object.keys(bytes)).toEqual(["supervisor", "worker-0"]);
    expect(bytes["worker-0"]).toBeWithin(rss / 2, rss * 2);
    // Ticks are hundredths of a second.
    expect(
      Math.abs(numbers(families, "process_cpu_seconds_total")["supervisor"]! - (user + system) / 1e6),
    ).toBeLessThan(0.5);
    expect(numbers(families, "process_open_fds")["worker-0"]).toBeGreaterThan(2);
    const startedMs = numbers(families, "process_start_time_seconds")["supervisor"]! * 1000;
    expect(Math.abs(startedMs - (Date.now() - performance.now()))).toBeLessThan(5000);
  });

  test("leaves a process out that is gone", () => {
    // Linux gives no process a number as high (proc_sys_kernel(5), pid_max).
    const seats = [{ worker: 0, pid: 2 ** 22 + 1, state: "running", deaths: 0 }];
    expect(Object.keys(numbers(read(viewOf(TWO, { seats })), "process_open_fds"))).not.toContain("worker-0");
  });
});

test("property: names are told as they are, whatever characters they have, and stay apart", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 8 });
  const odd = fc.oneof(name, fc.constantFrom('a"b', "a\\", "\\n", "\n", 'a",x="b', "} 1", "é𝄞", ""));
  fc.assert(
    fc.property(fc.uniqueArray(odd, { minLength: 1, maxLength: 4 }), (names) => {
      const plan: Plan = {
        ...TWO,
        listeners: names.map((each) => ({ ...TWO.listeners[0]!, name: each })),
        pools: names.map((each) => ({
          ...TWO.pools[0]!,
          name: each,
          backends: names.map((id) => ({ ...TWO.pools[0]!.backends[0]!, id })),
        })),
      };
      const families = read(viewOf(plan));
      expect(lint(families)).toEqual([]);
      const labels = families
        .find((family) => family.name === "weir_backend_up")!
        .samples.map((sample) => sample.labels);
      expect(labels).toEqual(names.flatMap((pool) => names.map((backend) => ({ pool, backend }))));
    }),
    { numRuns: 30 },
  );
});

test("property: a histogram has of every bound how many were below, and the sum", () => {
  const anyTime = fc.oneof(
    fc.nat(3000),
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.constantFrom(256, 2 ** 26, 2 ** 28),
  );
  const rows = fc.record({
    histogram: fc.constantFrom(FIRST_BYTE, DURATION, CONNECT),
    worker: fc.nat(1),
    time: anyTime,
  });
  const NAMES = new Map([
    [FIRST_BYTE, "weir_pool_first_byte_duration_seconds"],
    [DURATION, "weir_pool_request_duration_seconds"],
    [CONNECT, "weir_pool_connect_duration_seconds"],
  ]);
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 40 }), (observed) => {
      const view = viewOf({ ...TWO, workers: 2 });
      for (const { histogram, worker, time } of observed)
        view.counters.row(worker, view.placement.pools[0]!).observe(histogram, time);
      const families = read(view);
      expect(lint(families)).toEqual([]);
      for (const [histogram, name] of NAMES) {
        const times = observed.filter((each) => each.histogram === histogram).map(({ time }) => time / 1e6);
        const lines = [...histogramsOf(families.find((family) => family.name === name)!).values()].flat();
        for (const { name: line, labels, value } of lines) {
          if (line.endsWith("_sum"))
            expect(value).toBeCloseTo(
              times.reduce((a, b) => a + b, 0),
              6,
            );
          else if (line.endsWith("_count")) expect(value).toBe(times.length);
          else
            expect(value).toBe(times.filter((time) => labels["le"] === "+Inf" || time < Number(labels["le"])).length);
        }
      }
    }),
  );
});

test("families may be left out", () => {
  const view = viewOf(TWO);
  const exclude = new Set(["weir_backend_request_duration_seconds", "weir_nothing"]);
  const names = readExposition([...metricsParts(view, exclude)].join("")).map(({ name }) => name);
  expect(names).toEqual(FAMILIES.map(({ name }) => name).filter((name) => !exclude.has(name)));
});

test("parts are the text, each no longer than a few lines more than 64 KiB, and of one generation", () => {
  const backends = Array.from({ length: 200 }, (_, index) => `127.0.0.1:${8000 + index}`);
  const view = viewOf(planOf({ backends }), { startedAt: Date.now() + 1e6 });
  const whole = metricsText(view);
  const changing = { ...view };
  const parts: string[] = [];
  for (const part of metricsParts(changing)) {
    parts.push(part);
    Object.assign(changing, { plan: TWO, generation: 9 });
  }
  const steady = (text: string): string => text.replaceAll(/^process_.*\n/gm, "");
  expect(steady(parts.join(""))).toBe(steady(whole));
  expect(parts.length).toBeGreaterThan(5);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(70 * 1024);
});
