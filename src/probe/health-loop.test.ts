import { expect, test } from "bun:test";
import { fakeTime, type FakeTime } from "../../test/fixtures/fake-peer.ts";
import { type RawServer, rawServer } from "../../test/fixtures/raw.ts";
import { until } from "../../test/fixtures/cluster.ts";
import { formatAddress, parseAddress } from "../address.ts";
import type { Candidate } from "../balance/policy.ts";
import { turnsToSkip } from "../balance/turns-to-skip.ts";
import { Counters, countersBytes } from "../observe/counters.ts";
import { HEALTH_FLAG, HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import { dial } from "../net/dial.ts";
import { DEFAULT_HEALTH, DEFAULT_HTTP_PROBE, type HealthPlan, type BackendFacts } from "../health-plan.ts";
import { seededRandom } from "../random.ts";
import { HealthLoop } from "./health-loop.ts";

const PROBED: HealthPlan = { ...DEFAULT_HEALTH, probe: { ...DEFAULT_HTTP_PROBE, path: "/health" } };

/** A loop over one pool of the given ports, and the words as a worker sees them. */
class Bench {
  readonly time: FakeTime = fakeTime();
  readonly words: HealthWords;
  readonly log: string[] = [];
  readonly loop: HealthLoop;
  readonly counters: Counters;
  readonly #ports: readonly number[];

  constructor(ports: readonly number[]) {
    this.#ports = ports;
    const counters = { workers: 1, rows: ports.length, cursors: 1 };
    const shape = { pools: 1, rows: ports.length };
    const offset = countersBytes(counters);
    const memory = new ArrayBuffer(offset + healthWordsBytes(shape));
    this.words = new HealthWords(memory, shape, offset);
    this.counters = new Counters(memory, counters);
    const line = (event: string): number => this.log.push(event);
    this.loop = new HealthLoop({
      dial,
      wheel: this.time.wheel,
      counters: this.counters,
      words: new HealthWords(memory, shape, offset),
      clock: this.time.clock,
      random: seededRandom(1),
      log: { info: line, warn: line, error: line },
      zone: null,
    });
  }

  configure(health: HealthPlan, of: readonly Partial<BackendFacts>[] = []): void {
    const backends = this.#ports.map((port, index) => {
      const address = parseAddress(`127.0.0.1:${port}`);
      return {
        id: formatAddress(address),
        address,
        weight: 1,
        state: "ready" as const,
        tier: 0,
        zone: null,
        ...of[index],
      };
    });
    this.loop.configure([{ plan: { name: "app", health, backends }, rows: backends.map((_, row) => row), line: 0 }]);
  }

  pass(ms: number): void {
    this.time.pass(ms);
    this.loop.tick();
  }

  /** Lets time pass until something holds; probes on real sockets need turns of the event loop. */
  async until(holds: () => boolean): Promise<void> {
    await until(() => {
      this.pass(50);
      return holds();
    });
  }

  get weights(): number[] {
    return this.#ports.map((_, row) => this.words.weight(row));
  }
}

/** A backend whose health a test sets. */
function backend(): { server: RawServer; answer: string } {
  const made = {
    answer: "200 OK",
    server: rawServer({
      onData: (connection) => connection.send(`HTTP/1.1 ${made.answer}\r\nContent-Length: 0\r\n\r\n`),
    }),
  };
  return made;
}

test("a worker learns by the version that a backend went down and came back, in a slow start", async () => {
  const [a, b, c] = [backend(), backend(), backend()];
  await using _ = a.server;
  await using __ = b.server;
  await using ___ = c.server;
  const bench = new Bench([a.server.port, b.server.port, c.server.port]);
  expect(bench.words.version(0)).toBe(0);
  bench.configure(PROBED);
  expect([bench.words.version(0), ...bench.weights]).toEqual([1, 1, 1, 1]);
  await bench.until(() => bench.loop.keeper("app")!.backends.every(({ probe }) => probe.kind === "up"));
  const version = bench.words.version(0);
  b.answer = "500 No";
  await bench.until(() => bench.words.version(0) !== version);
  expect(bench.weights).toEqual([1, 0, 1]);
  expect(bench.words.flags(1)).toBe(HEALTH_FLAG.down);
  b.answer = "200 OK";
  await bench.until(() => bench.words.flags(1) === HEALTH_FLAG.ramp);
  expect(bench.weights).toEqual([10, 1, 10]);
  await bench.until(() => bench.words.flags(1) === 0);
  expect(bench.weights).toEqual([1, 1, 1]);
  expect(bench.log.filter((line) => line.startsWith("backend down") || line.startsWith("backend up"))).toEqual([
    "backend down",
    "backend up",
  ]);
  bench.loop.close();
  expect(bench.time.wheel.idle).toBe(true);
});

test("weights that change move the cursor of all workers to where the turns were", async () => {
  const [a, b] = [backend(), backend()];
  await using _ = a.server;
  await using __ = b.server;
  const bench = new Bench([a.server.port, b.server.port]);
  bench.configure(PROBED, [{ weight: 6 }, { weight: 4 }]);
  await bench.until(() => bench.loop.keeper("app")!.backends.every(({ probe }) => probe.kind === "up"));
  const candidates = (...weights: number[]): Candidate[] =>
    weights.map((weight, index) => ({ index, id: `127.0.0.1:${[a, b][index]!.server.port}`, weight }));
  for (let i = 0; i < 4; i++) bench.counters.nextTurn(0);
  const skipped = turnsToSkip(candidates(6, 4), candidates(3, 4), 4);
  a.answer = "200 OK\r\nweir-weight: 50";
  await bench.until(() => bench.weights[0] === 3 && bench.weights[1] === 4);
  expect(skipped).toBeGreaterThan(0);
  expect(bench.counters.turn(0)).toBe(4 + skipped);
  bench.loop.close();
});

test("failures that a worker tells of eject at the next tick", () => {
  const bench = new Bench([1, 2, 3]);
  bench.configure(DEFAULT_HEALTH);
  for (let i = 0; i < 5; i++) bench.words.failed(0, 2, 5);
  bench.words.succeeded(2);
  expect(bench.weights).toEqual([1, 1, 1]);
  bench.pass(50);
  expect(bench.weights).toEqual([1, 1, 0]);
  expect(bench.words.flags(2)).toBe(HEALTH_FLAG.ejected);
  const version = bench.words.version(0);
  bench.pass(50);
  expect(bench.words.version(0)).toBe(version);
});

test("what is known of a backend survives a reload, and what is in maintenance is not asked", async () => {
  const [a, b] = [backend(), backend()];
  await using _ = a.server;
  await using __ = b.server;
  b.answer = "500 No";
  const bench = new Bench([a.server.port, b.server.port]);
  bench.configure(PROBED);
  await bench.until(() => bench.words.flags(1) === HEALTH_FLAG.down);
  bench.configure({ ...PROBED, slowStartMs: 0 });
  expect(bench.weights).toEqual([1, 0]);
  bench.configure(PROBED, [{}, { state: "maintenance" }]);
  const asked = b.server.connections.length;
  await bench.until(() => a.server.connections.length > asked + 5);
  expect(b.server.connections).toHaveLength(asked);
  bench.loop.close();
});
