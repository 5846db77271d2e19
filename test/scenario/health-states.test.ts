import { expect, test } from "bun:test";
import { type Cluster, cluster, until } from "../fixtures/cluster.ts";
import { backend, type Backend, client, get, NOBODY, ok } from "../fixtures/http.ts";
import { connectRaw, refusingPort } from "../fixtures/raw.ts";
import { parseAddress } from "../../src/address.ts";
import { DEFAULT_HTTP_PROBE, DEFAULT_PASSIVE, DEFAULT_TCP_PROBE } from "../../src/health-plan.ts";
import { HEALTH_FLAG } from "../../src/observe/health-words.ts";
import type { BackendPlan } from "../../src/plan.ts";

const SOON = { intervalMs: 20, changingMs: 20, timeoutMs: 5000 } as const;
const TCP = { ...DEFAULT_TCP_PROBE, ...SOON };
/** Ejections that a test does not outlive. */
const PASSIVE = { ...DEFAULT_PASSIVE, successRate: null, ejectMs: 600_000, maxEjectMs: 600_000 };

/** Backends that answer with their number. */
class Numbered implements AsyncDisposable {
  readonly all: readonly Backend[];

  constructor(count: number, lines: (index: number) => string = () => "") {
    this.all = Array.from({ length: count }, (_, index) => backend(() => ok(String(index), lines(index))));
  }

  plan(index: number, of: Partial<BackendPlan> = {}): Partial<BackendPlan> {
    return { address: parseAddress(`127.0.0.1:${this.all[index]!.port}`), ...of };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.all) await each[Symbol.asyncDispose]();
  }
}

/** How many of so many requests each backend got, and how many got an error. */
async function shares(lb: Cluster, requests: number, backends: number): Promise<number[]> {
  await using user = await client(lb);
  const counts = new Array<number>(backends + 1).fill(0);
  for (let i = 0; i < requests; i++) {
    const { status, body } = await user.ask(get());
    counts[status === 200 ? Number(body) : backends]! += 1;
  }
  return counts;
}

function events(lb: Cluster): string[] {
  return lb.log.map(({ event }) => event).filter((event) => event !== "backend failed over");
}

test("five failures in a row eject a backend: nothing more goes there", async () => {
  await using some = new Numbered(2);
  const dead = refusingPort();
  await using lb = cluster({ backends: [dead, some.plan(0), some.plan(1)], health: { passive: PASSIVE } });
  await using user = await client(lb);
  while (lb.words.flags(0) === 0) expect((await user.ask(get())).status).toBe(200);
  const failed = lb.backendErrors(0, "BACKEND_REFUSED");
  expect(failed).toBeGreaterThanOrEqual(5);
  expect(await shares(lb, 20, 2)).toEqual([10, 10, 0]);
  expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBe(failed);
  expect(lb.log.find(({ event }) => event === "backend ejected")?.fields).toMatchObject({
    backend: `127.0.0.1:${dead}`,
    why: "5 failures in a row",
    forMs: 600_000,
  });
});

test("an ejection ends by itself, and the next one lasts longer", async () => {
  await using some = new Numbered(2);
  const passive = { ...PASSIVE, ejectMs: 10_000 };
  // Time passes when the test says so.
  let now = 1_000_000;
  await using lb = cluster({
    backends: [refusingPort(), some.plan(0), some.plan(1)],
    health: { passive, slowStartMs: 0 },
    clock: { now: () => now },
  });
  await using user = await client(lb);
  const untilEjected = async (): Promise<void> => {
    while (lb.words.flags(0) === 0) expect((await user.ask(get())).status).toBe(200);
    // What failed meanwhile is of the time before the next jump.
    lb.health.alarmed();
  };
  await untilEjected();
  now += 10_000;
  await until(() => lb.words.flags(0) === 0);
  await untilEjected();
  expect(events(lb)).toEqual(["backend ejected", "backend back", "backend ejected"]);
  expect(lb.log.map(({ fields }) => fields["forMs"]).filter((ms) => ms !== undefined)).toEqual([10_000, 20_000]);
});

test("a status that is set to count ejects; without it, or with passive off, it does not", async () => {
  for (const [passive, ejects] of [
    [{ ...PASSIVE, statuses: [[503, 503]] as const }, true],
    [PASSIVE, false],
    [null, false],
  ] as const) {
    await using busy = backend(() => ok("", "", "503 Service Unavailable"));
    await using fine = backend(() => ok("fine"));
    await using lb = cluster({ backends: [busy.port, fine.port], health: { passive } });
    await using user = await client(lb);
    if (ejects) while (lb.words.flags(0) !== HEALTH_FLAG.ejected) await user.ask(get());
    else for (let i = 0; i < 20; i++) await user.ask(get());
    expect(lb.words.strikes(0) > 0).toBe(ejects);
  }
});

test("never more than half of a pool is ejected", async () => {
  await using some = new Numbered(1);
  const dead = [refusingPort(), refusingPort(), refusingPort()];
  await using lb = cluster({
    backends: [...dead, some.plan(0)],
    health: { passive: PASSIVE },
    retry: { attempts: 4 },
  });
  await using user = await client(lb);
  while (!events(lb).includes("backend not ejected")) expect((await user.ask(get())).status).toBe(200);
  expect(events(lb).filter((event) => event === "backend ejected")).toHaveLength(2);
  expect([0, 1, 2].filter((row) => lb.words.flags(row) === HEALTH_FLAG.ejected)).toHaveLength(2);
});

test("five tcp connections that are refused in a row eject", async () => {
  await using lb = cluster({
    mode: "tcp",
    backends: [refusingPort(), refusingPort()],
    health: { passive: PASSIVE, panicBelow: 0 },
    retry: { attempts: 1 },
  });
  while (!events(lb).includes("backend ejected")) {
    await using user = await connectRaw(lb.port);
    await user.untilEnd();
  }
  expect([0, 1].filter((row) => lb.words.flags(row) === HEALTH_FLAG.ejected)).toHaveLength(1);
});

test("with fewer than half healthy all get traffic, which is said in the log and to the client", async () => {
  await using some = new Numbered(1);
  const backends = [refusingPort(), refusingPort(), some.plan(0)];
  await using lb = cluster({ backends, health: { probe: TCP, passive: null }, retry: { attempts: 1 } });
  await until(() => lb.words.panic(0));
  expect(lb.log.find(({ event }) => event === "pool panics")).toMatchObject({
    level: "error",
    fields: { pool: "all", healthy: "1 of 3" },
  });
  expect(await shares(lb, 9, 1)).toEqual([3, 6]);
  await using user = await client(lb);
  let answer = await user.ask(get());
  while (answer.status === 200) answer = await user.ask(get());
  expect(answer.field("proxy-status")).toContain("the pool panics");
});

test("in a panic what failed is tried again on a backend that is well, so that one is enough for all", async () => {
  await using some = new Numbered(1);
  const dead = Array.from({ length: 5 }, () => refusingPort());
  await using lb = cluster({
    backends: [...dead, some.plan(0)],
    health: { probe: TCP, passive: null },
    retry: { attempts: 2 },
  });
  // It panics when it knows of four; the fifth would be tried as one that is well.
  await until(() => lb.words.panic(0) && dead.every((_, row) => lb.words.flags(row) === HEALTH_FLAG.down));
  await using user = await client(lb);
  for (let i = 0; i < 24; i++) expect((await user.ask(get())).status).toBe(200);
});

test("panicBelow 0 never panics: the last one takes all", async () => {
  await using some = new Numbered(1);
  const backends = [refusingPort(), refusingPort(), some.plan(0)];
  await using lb = cluster({ backends, health: { probe: TCP, passive: null, panicBelow: 0 } });
  await until(() => lb.words.flags(0) === HEALTH_FLAG.down && lb.words.flags(1) === HEALTH_FLAG.down);
  expect(await shares(lb, 6, 1)).toEqual([6, 0]);
  expect(lb.words.panic(0)).toBe(false);
});

test("drain and maintenance take no new work, and maintenance is not probed", async () => {
  const probes = [0, 0, 0];
  const answering = (index: number): Backend =>
    backend(({ start }) => {
      if (start.includes(" /health ")) probes[index]! += 1;
      return ok(String(index));
    });
  await using ready = answering(0);
  await using draining = answering(1);
  await using mended = answering(2);
  const at = ({ port }: Backend): Partial<BackendPlan> => ({ address: parseAddress(`127.0.0.1:${port}`) });
  await using lb = cluster({
    backends: [at(ready), { ...at(draining), state: "drain" }, { ...at(mended), state: "maintenance" }],
    health: { probe: { ...DEFAULT_HTTP_PROBE, ...SOON, path: "/health" } },
  });
  expect(await shares(lb, 6, 3)).toEqual([6, 0, 0, 0]);
  expect([0, 1, 2].map((row) => lb.words.flags(row))).toEqual([0, HEALTH_FLAG.drain, HEALTH_FLAG.maintenance]);
  await until(() => probes[0]! > 2 && probes[1]! > 2);
  expect(probes[2]).toBe(0);
});

test("a response may ask for its backend to be drained, and the client is not told", async () => {
  await using some = new Numbered(3, (index) => (index === 1 ? "Weir-State: Drain\r\n" : ""));
  await using lb = cluster({ backends: [0, 1, 2].map((index) => some.plan(index)), health: { passive: null } });
  await using user = await client(lb);
  for (let i = 0; i < 3; i++) expect((await user.ask(get())).field("weir-state")).toBeNull();
  await until(() => lb.words.flags(1) === HEALTH_FLAG.drain);
  expect(await shares(lb, 8, 3)).toEqual([4, 0, 4, 0]);
  expect(events(lb)).toEqual(["backend drains"]);
});

test("the next tier takes over in proportion as backends of the first go", async () => {
  await using some = new Numbered(2);
  const backends = [some.plan(0), refusingPort(), some.plan(1, { tier: 1 })];
  await using lb = cluster({ backends, health: { probe: TCP, passive: null } });
  await until(() => lb.words.flags(1) === HEALTH_FLAG.down);
  // Half of the tier is healthy, and trusted with 1.4 times its part.
  expect(await shares(lb, 100, 2)).toEqual([70, 30, 0]);
  expect(lb.log.find(({ event }) => event === "pool shifts work between tiers")?.fields).toMatchObject({
    shares: "0: 70 %, 1: 30 %",
  });
});

test("a tier gets nothing while the one before it is well", async () => {
  await using some = new Numbered(2);
  await using lb = cluster({ backends: [some.plan(0), some.plan(1, { tier: 1 })] });
  expect(await shares(lb, 10, 2)).toEqual([10, 0, 0]);
});

test("backends of the own zone get the work while that is even", async () => {
  await using some = new Numbered(2);
  const backends = [some.plan(0, { zone: "a" }), some.plan(1, { zone: "b" })];
  await using lb = cluster({ backends, zone: "b" });
  expect(await shares(lb, 10, 2)).toEqual([0, 10, 0]);
});

test("a pool none of whose backends may take work answers 503 and when to try again", async () => {
  const backends = NOBODY.slice(0, 2).map((text) => ({ address: parseAddress(text), state: "maintenance" as const }));
  await using lb = cluster({ backends });
  await using user = await client(lb);
  const answer = await user.ask(get());
  expect([answer.status, answer.field("retry-after")]).toEqual([503, "5"]);
  expect(answer.field("proxy-status")).toContain("POOL_NO_BACKEND");
  expect(events(lb)).toContain("pool empty");
});

test("a slow start moves no key of a keyed policy between the others", async () => {
  for (const policy of ["ring", "rendezvous", "maglev"]) {
    await using some = new Numbered(3);
    const dead = { passive: null, probe: TCP, slowStartMs: 3_600_000 };
    const backends = [0, 1, 2].map((index) => some.plan(index));
    await using lb = cluster({ backends, policy: { name: policy, key: [{ kind: "path" }] }, health: dead });
    const paths = Array.from({ length: 60 }, (_, i) => `/${i}`);
    const owners = async (): Promise<string> => {
      await using user = await client(lb);
      let all = "";
      for (const path of paths) all += (await user.ask(get(path))).body;
      return all;
    };
    const before = await owners();
    const [first] = lb.health.loop.keeper("all")!.backends;
    const keeper = lb.health.loop.keeper("all")!;
    for (let i = 0; i < 3; i++)
      keeper.probed(
        first!.plan.id,
        { kind: "failed", tookMs: 0, advice: null, code: null, why: "set" },
        performance.now(),
      );
    await until(() => lb.words.flags(0) === HEALTH_FLAG.ramp);
    expect(await owners()).toBe(before);
  }
});
