import { expect, test } from "bun:test";
import { FAMILIES, metricsText } from "../../src/admin/metrics/text.ts";
import { DEFAULT_HTTP_PROBE } from "../../src/health-plan.ts";
import { seededRandom } from "../../src/random.ts";
import { planOf, until } from "../fixtures/cluster.ts";
import { lint } from "../fixtures/exposition-lint.ts";
import { type ReadFamily, type ReadSample, readExposition } from "../fixtures/exposition.ts";
import { type Arrived, backend, type Client, client, get, NOBODY, ok, post, weir } from "../fixtures/http.ts";
import { viewOfCluster } from "../fixtures/metrics-view.ts";
import { rawServer } from "../fixtures/raw.ts";

/** The sum of the lines of a name that have these labels. */
function sum(families: readonly ReadFamily[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return families
    .flatMap(({ samples }) => samples)
    .filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((total, { value }) => total + value, 0);
}

/** Lines that only rise, by what they are. */
function rising(families: readonly ReadFamily[]): Map<string, number> {
  const identity = ({ name, labels }: ReadSample): string => JSON.stringify([name, labels]);
  const of = families.filter(({ type, name }) => type !== "gauge" && !name.startsWith("process_"));
  return new Map(of.flatMap(({ samples }) => samples.map((sample) => [identity(sample), sample.value] as const)));
}

const LINES: Readonly<Record<string, string>> = {
  200: "200 OK",
  302: "302 Found",
  404: "404 Not Found",
  500: "500 No",
};

test("under load every request is counted once where it belongs, and each scrape is in order and behind none before it", async () => {
  const answer = ({ start }: Arrived): string => ok("body", "", LINES[/\/(\d+) /.exec(start)?.[1] ?? ""]);
  await using one = backend(answer);
  await using other = backend(answer);
  const options = { health: { passive: null } };
  const ports = { backends: [NOBODY[0]!, `127.0.0.1:${one.port}`, `127.0.0.1:${other.port}`] };
  await using lb = weir({ ...options, ...ports });
  const view = viewOfCluster(lb, planOf({ ...options, ...ports }));
  const random = seededRandom(1);
  const sent = new Map<string, number>();
  let before = new Map<string, number>();
  const scrape = (): readonly ReadFamily[] => {
    const families = readExposition(metricsText(view));
    expect(lint(families)).toEqual([]);
    const now = rising(families);
    for (const [line, value] of before) expect([line, now.get(line) ?? -1]).toSatisfy(([, at]) => Number(at) >= value);
    before = now;
    return families;
  };
  const aUser = async (user: Client): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const status = ["200", "200", "302", "404", "500"][random.below(5)]!;
      sent.set(status, (sent.get(status) ?? 0) + 1);
      const request = random.below(3) === 0 ? post("some", { path: `/${status}` }) : get(`/${status}`);
      expect((await user.ask(request)).status).toBe(Number(status));
      if (i % 10 === 0) scrape();
    }
  };
  {
    await using users = new AsyncDisposableStack();
    const opened = await Promise.all(Array.from({ length: 12 }, () => client(lb)));
    for (const user of opened) users.use(user);
    await Promise.all(opened.map(aUser));
  }
  const families = scrape();
  const all = 12 * 40;
  const web = { listener: "web" };
  expect(sum(families, "weir_listener_connections_total", web)).toBe(12);
  expect(sum(families, "weir_listener_requests_total", web)).toBe(all);
  expect(sum(families, "weir_listener_in_flight", web)).toBe(0);
  expect(sum(families, "weir_listener_errors_total", web)).toBe(0);
  for (const [code, statuses] of Object.entries({ "2xx": ["200"], "3xx": ["302"], "4xx": ["404"], "5xx": ["500"] })) {
    const count = statuses.reduce((total, status) => total + sent.get(status)!, 0);
    expect([code, sum(families, "weir_listener_responses_total", { code })]).toEqual([code, count]);
    expect([code, sum(families, "weir_backend_responses_total", { code })]).toEqual([code, count]);
  }
  for (const name of ["weir_pool_request_duration_seconds_count", "weir_pool_first_byte_duration_seconds_count"])
    expect([name, sum(families, name, { pool: "all" })]).toEqual([name, all]);
  for (const { port, requests, server } of [one, other]) {
    const of = { pool: "all", backend: `127.0.0.1:${port}` };
    for (const name of ["requests_total", "request_duration_seconds_count", "first_byte_duration_seconds_count"])
      expect([name, sum(families, `weir_backend_${name}`, of)]).toEqual([name, requests.length]);
    for (const name of ["connections_total", "connect_duration_seconds_count"])
      expect([name, sum(families, `weir_backend_${name}`, of)]).toEqual([name, server.connections.length]);
    expect(sum(families, "weir_backend_received_bytes_total", of)).toBeGreaterThan(requests.length * 40);
  }
  expect(one.requests.length + other.requests.length).toBe(all);
  const refused = sum(families, "weir_backend_errors_total", { backend: NOBODY[0]!, code: "BACKEND_REFUSED" });
  expect(refused).toBeGreaterThan(0);
  expect(sum(families, "weir_backend_retries_total")).toBe(refused);
  // The whole is no shorter than its parts.
  const seconds = (name: string): number => sum(families, `weir_${name}_duration_seconds_sum`);
  expect(seconds("pool_request")).toBeGreaterThanOrEqual(seconds("pool_first_byte"));
  expect(seconds("pool_first_byte")).toBeGreaterThanOrEqual(seconds("backend_first_byte") * (1 - 1e-9));
  expect(seconds("backend_request")).toBeGreaterThanOrEqual(seconds("backend_first_byte"));
});

test("what no backend answers is an error of its code, with a time of its own", async () => {
  const ports = { backends: [NOBODY[0]!, NOBODY[1]!] };
  await using lb = weir({ ...ports, health: { passive: null } });
  await using user = await client(lb);
  for (let i = 0; i < 3; i++) expect((await user.ask(get())).status).toBe(502);
  const families = readExposition(metricsText(viewOfCluster(lb, planOf(ports))));
  expect(sum(families, "weir_listener_errors_total", { code: "BACKEND_REFUSED" })).toBe(3);
  expect(sum(families, "weir_listener_responses_total", { code: "5xx" })).toBe(3);
  expect(sum(families, "weir_backend_errors_total")).toBe(6);
  expect(sum(families, "weir_pool_request_duration_seconds_count")).toBe(3);
  expect(sum(families, "weir_pool_first_byte_duration_seconds_count")).toBe(0);
});

test("in mode tcp connections and bytes are counted, and how long connecting took", async () => {
  await using echo = rawServer({ onData: (connection) => connection.send(connection.text) });
  const options = { mode: "tcp", backends: [`127.0.0.1:${echo.port}`] } as const;
  await using lb = weir(options);
  const view = viewOfCluster(lb, planOf(options));
  {
    await using user = await client(lb);
    user.send("hello");
    await user.raw.until(({ text }) => text === "hello");
    const families = readExposition(metricsText(view));
    expect(lint(families)).toEqual([]);
    for (const name of ["listener_in_flight", "backend_in_flight", "pool_in_flight", "listener_connections_total"])
      expect([name, sum(families, `weir_${name}`)]).toEqual([name, 1]);
    for (const name of ["listener_received", "listener_sent", "backend_received", "backend_sent"])
      expect([name, sum(families, `weir_${name}_bytes_total`)]).toEqual([name, 5]);
    for (const name of ["pool_connect", "backend_connect"])
      expect([name, sum(families, `weir_${name}_duration_seconds_count`)]).toEqual([name, 1]);
    expect(sum(families, "weir_pool_request_duration_seconds_count")).toBe(0);
  }
});

test("what probes say is told", async () => {
  await using well = backend();
  const probe = {
    type: "http",
    path: "/",
    intervalMs: 1000,
    changingMs: 100,
    // Far longer than any machine stands still: one that is well fails none.
    timeoutMs: 20_000,
    rise: 1,
    fall: 1,
  } as const;
  const options = {
    backends: [`127.0.0.1:${well.port}`, NOBODY[0]!],
    health: { probe: { ...DEFAULT_HTTP_PROBE, ...probe } },
  };
  await using lb = weir(options);
  const view = viewOfCluster(lb, planOf(options));
  const read = (): readonly ReadFamily[] => readExposition(metricsText(view));
  await until(() => sum(read(), "weir_pool_healthy_backends") === 1 && well.requests.length > 0);
  await until(() => read().find(({ name }) => name === "weir_backend_probe_success")!.samples.length === 2);
  const families = read();
  expect(lint(families)).toEqual([]);
  for (const [id, up] of [[`127.0.0.1:${well.port}`, 1] as const, [NOBODY[0]!, 0] as const]) {
    expect(sum(families, "weir_backend_up", { backend: id })).toBe(up);
    expect(sum(families, "weir_backend_probe_success", { backend: id })).toBe(up);
    expect(sum(families, "weir_backend_weight", { backend: id })).toBe(up);
    expect(sum(families, "weir_backend_state", { backend: id, state: "down" })).toBe(1 - up);
  }
  expect(families.length).toBe(FAMILIES.length);
});
