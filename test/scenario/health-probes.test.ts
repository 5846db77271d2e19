import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { type Cluster, cluster, type ClusterOptions, until } from "../fixtures/cluster.ts";
import { backend, type Backend, client, get, ok } from "../fixtures/http.ts";
import { connectRaw, rawServer, refusingPort } from "../fixtures/raw.ts";
import { DEFAULT_HTTP_PROBE, DEFAULT_TCP_PROBE, type HttpProbePlan, type TcpProbePlan } from "../../src/health-plan.ts";
import { HEALTH_FLAG } from "../../src/observe/health-words.ts";

/** Short enough for a test; a probe on the loopback takes a millisecond. */
const SOON = { intervalMs: 20, changingMs: 20, timeoutMs: 5000, rise: 2, fall: 3 } as const;
const HTTP: HttpProbePlan = { ...DEFAULT_HTTP_PROBE, ...SOON, path: "/health" };
const TCP: TcpProbePlan = { ...DEFAULT_TCP_PROBE, ...SOON };
/** No slow start, and no traffic that ejects: what is to be seen are the probes. */
const CALM = { passive: null, slowStartMs: 0 } as const;

/** A backend that says its number, and of its health what the test sets. */
class Patient {
  health: string = ok("fine");
  probes = 0;
  readonly backend: Backend;

  constructor(number: number) {
    this.backend = backend(({ start }) => {
      if (!start.includes(" /health ")) return ok(String(number));
      this.probes += 1;
      return this.health;
    });
  }
}

const SICK = ok("ill", "", "500 Internal Server Error");

function patients(count: number): { readonly all: readonly Patient[]; [Symbol.asyncDispose](): Promise<void> } {
  const all = Array.from({ length: count }, (_, index) => new Patient(index));
  return {
    all,
    async [Symbol.asyncDispose]() {
      for (const each of all) await each.backend[Symbol.asyncDispose]();
    },
  };
}

function probed(all: readonly Patient[], options: Partial<ClusterOptions>): Cluster {
  return cluster({ backends: all.map((each) => each.backend.port), ...options });
}

/** How many of so many requests each backend got. */
async function shares(lb: Cluster, requests: number, backends: number): Promise<number[]> {
  await using user = await client(lb);
  const counts = new Array<number>(backends).fill(0);
  for (let i = 0; i < requests; i++) counts[Number((await user.ask(get())).body)]! += 1;
  return counts;
}

function flags(lb: Cluster, index: number): number {
  return lb.words.flags(index);
}

function events(lb: Cluster): string[] {
  return lb.log.map(({ event }) => event);
}

/** Waits until each backend was probed. */
async function settled(all: readonly Patient[]): Promise<void> {
  await until(() => all.every(({ probes }) => probes > 0));
}

test("a backend that fails its probes gets no traffic, and gets it again when it passes them", async () => {
  await using some = patients(3);
  const [, second] = some.all;
  await using lb = probed(some.all, { health: { ...CALM, probe: HTTP } });
  await settled(some.all);
  expect(await shares(lb, 9, 3)).toEqual([3, 3, 3]);
  second!.health = SICK;
  await until(() => flags(lb, 1) === HEALTH_FLAG.down);
  expect(await shares(lb, 8, 3)).toEqual([4, 0, 4]);
  expect(lb.log.find(({ event }) => event === "backend down")?.fields).toMatchObject({
    pool: "all",
    backend: `127.0.0.1:${second!.backend.port}`,
    why: expect.stringContaining("3 of 3 probes failed"),
  });
  second!.health = ok("fine");
  await until(() => flags(lb, 1) === 0);
  expect(await shares(lb, 9, 3)).toEqual([3, 3, 3]);
  expect(events(lb)).toEqual(["backend down", "backend up"]);
});

test("one that comes back has a smaller share at first, whatever the policy", async () => {
  for (const policy of ["round-robin", "least-connections", "random", "two-choices"]) {
    await using some = patients(3);
    // Its next step up is minutes away.
    await using lb = probed(some.all, { policy, health: { ...CALM, probe: HTTP, slowStartMs: 3_600_000 } });
    await settled(some.all);
    some.all[1]!.health = SICK;
    await until(() => flags(lb, 1) === HEALTH_FLAG.down);
    some.all[1]!.health = ok("fine");
    await until(() => flags(lb, 1) === HEALTH_FLAG.ramp);
    const [, newcomer = 0] = await shares(lb, 210, 3);
    // A tenth of its weight beside two whole ones: 10 of 210; an even share would be 70.
    expect(newcomer).toBeGreaterThan(0);
    expect(newcomer).toBeLessThan(35);
  }
});

test("a slow start ends", async () => {
  // The ramp itself is over in no time where the machine stops: its time passes when it was seen.
  const slowStartMs = 3_600_000;
  const clock = { ahead: 0, now: () => systemClock.now() + clock.ahead };
  await using some = patients(2);
  await using lb = probed(some.all, { clock, health: { ...CALM, panicBelow: 0, probe: HTTP, slowStartMs } });
  await settled(some.all);
  some.all[1]!.health = SICK;
  await until(() => flags(lb, 1) === HEALTH_FLAG.down);
  some.all[1]!.health = ok("fine");
  await until(() => flags(lb, 1) === HEALTH_FLAG.ramp);
  clock.ahead = slowStartMs;
  await until(() => flags(lb, 1) === 0);
  expect(await shares(lb, 10, 2)).toEqual([5, 5]);
});

test("a tcp probe finds a backend that refuses, and a first probe settles it", async () => {
  await using some = patients(2);
  const refusing = refusingPort();
  const backends = [...some.all.map((each) => each.backend.port), refusing];
  await using lb = cluster({ backends, health: { ...CALM, probe: TCP } });
  await until(() => events(lb).includes("backend down"));
  expect(lb.log[0]?.fields).toMatchObject({ backend: `127.0.0.1:${refusing}`, code: "BACKEND_REFUSED" });
  expect(await shares(lb, 8, 3)).toEqual([4, 4, 0]);
  expect(lb.backendErrors(2, "BACKEND_REFUSED")).toBe(0);
});

test("with start down nobody gets work before its first probe", async () => {
  await using some = patients(1);
  some.all[0]!.health = "";
  await using lb = probed(some.all, { health: { ...CALM, panicBelow: 0, probe: { ...HTTP, start: "down" } } });
  await settled(some.all);
  await using user = await client(lb);
  const refused = await user.ask(get());
  expect([refused.status, refused.field("retry-after")]).toEqual([503, "1"]);
  some.all[0]!.health = ok("fine"); // for the next one, should this one be given up
  const probe = some.all[0]!.backend.requests.find(({ start }) => start.includes(" /health "))!;
  probe.connection.send(ok("fine"));
  await until(() => flags(lb, 0) === 0);
  expect((await user.ask(get())).status).toBe(200);
});

test("a probe may go to another port", async () => {
  let healthy = true;
  await using doctor = backend(() => (healthy ? ok() : SICK));
  await using some = patients(1);
  const health = { ...CALM, panicBelow: 0, probe: { ...HTTP, port: doctor.port } };
  await using lb = probed(some.all, { health });
  await doctor.request(0);
  expect(await shares(lb, 2, 1)).toEqual([2]);
  healthy = false;
  await until(() => flags(lb, 0) === HEALTH_FLAG.down);
  expect(some.all[0]!.probes).toBe(0);
  await using user = await client(lb);
  expect((await user.ask(get())).status).toBe(503);
});

test("an answer to a probe may ask for less work, and for none", async () => {
  await using some = patients(3);
  await using lb = probed(some.all, { health: { ...CALM, probe: HTTP } });
  await settled(some.all);
  some.all[0]!.health = ok("fine", "weir-weight: 50\r\n");
  await until(() => lb.words.weight(0) * 2 === lb.words.weight(1));
  expect(await shares(lb, 10, 3)).toEqual([2, 4, 4]);
  some.all[0]!.health = ok("fine", "weir-state: drain\r\n");
  await until(() => flags(lb, 0) === HEALTH_FLAG.drain);
  expect(await shares(lb, 10, 3)).toEqual([0, 5, 5]);
});

test("tcp connections go where probes pass", async () => {
  await using good = rawServer({ onConnection: (connection) => connection.send("good") });
  await using other = rawServer({ onConnection: (connection) => connection.send("good") });
  const lone = { ...CALM, probe: TCP };
  await using lb = cluster({ mode: "tcp", backends: [refusingPort(), good.port, other.port], health: lone });
  await until(() => flags(lb, 0) === HEALTH_FLAG.down);
  const before = lb.backendErrors(0, "BACKEND_REFUSED");
  for (let i = 0; i < 4; i++) {
    await using user = await connectRaw(lb.port);
    await user.untilText("good");
  }
  expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBe(before);
});
