import { describe, expect, test } from "bun:test";
import { type Cluster, cluster, type ClusterOptions, until } from "../fixtures/cluster.ts";
import { backend, type Backend, client, get, ok } from "../fixtures/http.ts";
import type { Message } from "../fixtures/message.ts";
import { parseAddress } from "../../src/address.ts";
import { DEFAULT_PASSIVE, DEFAULT_TCP_PROBE } from "../../src/health-plan.ts";
import { HEALTH_FLAG } from "../../src/observe/health-words.ts";
import type { BackendPlan } from "../../src/plan.ts";

const KEEPS = { passive: null, pinnedMs: 3_600_000 } as const;

/** Backends that answer with their number. */
class Numbered implements AsyncDisposable {
  readonly all: readonly Backend[];

  constructor(count: number, lines: (index: number) => string = () => "") {
    this.all = Array.from({ length: count }, (_, index) => backend(() => ok(String(index), lines(index))));
  }

  plans(of: readonly Partial<BackendPlan>[] = []): Partial<BackendPlan>[] {
    return this.all.map(({ port }, index) => ({ address: parseAddress(`127.0.0.1:${port}`), ...of[index] }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.all) await each[Symbol.asyncDispose]();
  }
}

function weir(backends: ClusterOptions["backends"], more: Partial<ClusterOptions> = {}): Cluster {
  return cluster({ backends, affinity: {}, health: KEEPS, ...more });
}

/** A browser with one cookie: it sends what it was told last. */
class Browser {
  cookie = "";
  /** The `Set-Cookie` of the last answer, `null` where it had none. */
  set: string | null = null;

  async ask(lb: Cluster, lines = ""): Promise<Message> {
    await using connection = await client(lb);
    const cookie = this.cookie === "" ? "" : `Cookie: theme=dark; ${this.cookie}\r\n`;
    const answer = await connection.ask(get("/", cookie + lines));
    this.set = answer.field("set-cookie");
    if (this.set !== null) this.cookie = this.set.split(";")[0] ?? "";
    return answer;
  }

  /** The number of the backend that answers. */
  async number(lb: Cluster): Promise<number> {
    const { status, body } = await this.ask(lb);
    return status === 200 ? Number(body) : -status;
  }

  async numbers(lb: Cluster, requests: number): Promise<Set<number>> {
    const all = new Set<number>();
    for (let i = 0; i < requests; i++) all.add(await this.number(lb));
    return all;
  }
}

describe("a client stays where it was", () => {
  test("under every policy, which knows nothing of it", async () => {
    for (const policy of ["round-robin", "random", "least-connections", "two-choices", "least-time", "first"]) {
      await using some = new Numbered(4);
      await using lb = weir(some.plans(), { policy });
      const users = Array.from({ length: 8 }, () => new Browser());
      const first: number[] = [];
      for (const user of users) first.push(await user.number(lb));
      if (policy === "round-robin") expect(new Set(first)).toEqual(new Set([0, 1, 2, 3]));
      for (const [i, user] of users.entries()) {
        expect({ policy, numbers: await user.numbers(lb, 6) }).toEqual({ policy, numbers: new Set([first[i]!]) });
        expect(user.set).toBeNull();
      }
    }
  });

  test("though the key of its policy says another backend", async () => {
    for (const policy of ["rendezvous", "ring", "maglev"]) {
      await using some = new Numbered(4);
      await using lb = weir(some.plans(), { policy: { name: policy, key: [{ kind: "header", name: "x-user" }] } });
      const user = new Browser();
      const first = await user.number(lb);
      for (let i = 0; i < 12; i++) {
        const { body } = await user.ask(lb, `X-User: ${i}\r\n`);
        expect({ policy, body }).toEqual({ policy, body: String(first) });
      }
    }
  });

  test("on one connection, where another client asks in between", async () => {
    await using some = new Numbered(3);
    await using lb = weir(some.plans());
    const [a, b] = [new Browser(), new Browser()];
    const [ofA, ofB] = [await a.number(lb), await b.number(lb)];
    expect(ofA).not.toBe(ofB);
    await using shared = await client(lb);
    for (let i = 0; i < 5; i++) {
      expect((await shared.ask(get("/", `Cookie: ${a.cookie}\r\n`))).body).toBe(String(ofA));
      expect((await shared.ask(get("/", `Cookie: ${b.cookie}\r\n`))).body).toBe(String(ofB));
      expect((await shared.ask(get())).field("set-cookie")).toStartWith("weir=");
    }
  });

  test("at another Weir with the same secret, and not at one with another", async () => {
    await using some = new Numbered(4);
    await using one = weir(some.plans());
    await using same = weir(some.plans());
    await using other = weir(some.plans(), { affinity: { secret: "the secret of somebody else" } });
    for (let i = 0; i < 4; i++) {
      const user = new Browser();
      const number = await user.number(one);
      expect(await user.numbers(same, 3)).toEqual(new Set([number]));
      expect(user.set).toBeNull();
      await user.number(other);
      expect(user.set).toStartWith("weir=");
    }
  });

  test("though the weight of its backend is 0", async () => {
    await using some = new Numbered(2);
    await using before = weir(some.plans());
    const users = [new Browser(), new Browser()];
    for (const user of users) await user.number(before);
    await using lb = weir(some.plans([{ weight: 0 }]));
    for (const [i, user] of users.entries()) expect(await user.numbers(lb, 3)).toEqual(new Set([i]));
    expect(await new Browser().numbers(lb, 3)).toEqual(new Set([1]));
  });
});

describe("the cookie", () => {
  test("is opaque, for this host, out of reach of scripts, and goes with that of the application", async () => {
    await using some = new Numbered(1, () => "Set-Cookie: session=1\r\n");
    await using lb = weir(some.plans());
    await using user = await client(lb);
    const { fields } = await user.ask(get());
    const set = fields.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) => value);
    expect(set).toHaveLength(2);
    expect(set[0]).toBe("session=1");
    expect(set[1]).toMatch(/^weir=[A-Za-z0-9_-]{40}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  test("has the name, path and age that are configured, and reaches the backend as it came", async () => {
    await using some = new Numbered(1);
    await using lb = weir(some.plans(), { affinity: { cookie: "sid", path: "/shop", ttlSeconds: 600 } });
    const user = new Browser();
    await user.number(lb);
    expect(user.set).toMatch(/^sid=[\w-]{40}; Path=\/shop; Max-Age=600; HttpOnly; SameSite=Lax$/);
    await user.number(lb);
    expect(some.all[0]?.requests[1]?.field("cookie")).toBe(`theme=dark; ${user.cookie}`);
  });

  test("that is forged, cut off, of another pool or none of ours is no error and pins to nothing", async () => {
    await using some = new Numbered(2);
    await using lb = weir(some.plans());
    const user = new Browser();
    await user.number(lb);
    const right = user.cookie;
    const flipped = right.slice(0, -1) + (right.endsWith("A") ? "B" : "A");
    for (const cookie of [flipped, right.slice(0, -1), `${right}A`, "weir=", "weir", "weir=;", "weir=%00%ff"]) {
      const numbers = new Set<number>();
      for (let i = 0; i < 2; i++) {
        user.cookie = cookie;
        numbers.add(await user.number(lb));
        expect({ cookie, set: user.set?.startsWith("weir=") }).toEqual({ cookie, set: true });
      }
      expect({ cookie, numbers }).toEqual({ cookie, numbers: new Set([0, 1]) });
    }
  });

  test("with a ttl is renewed when half of it is over, and is nothing when all of it is", async () => {
    let now = 1_800_000_000_000;
    await using some = new Numbered(3);
    await using lb = weir(some.plans(), { affinity: { ttlSeconds: 100 }, wallClock: { now: () => now } });
    const user = new Browser();
    const first = await user.number(lb);
    const cookies = [user.cookie];
    now += 50_000;
    expect([await user.number(lb), user.set]).toEqual([first, null]);
    for (let i = 0; i < 5; i++) {
      now += i === 0 ? 1000 : 51_000;
      expect(await user.number(lb)).toBe(first);
      expect(user.set).toContain("Max-Age=100");
      cookies.push(user.cookie);
    }
    expect(new Set(cookies).size).toBe(6);
    now += 100_000;
    expect(await user.number(lb)).not.toBe(first);
    expect(user.set).toContain("Max-Age=100");
  });
});

describe("a client is moved at once, and pinned anew in the same response", () => {
  test("when its backend goes away under it, and when probes find it down", async () => {
    for (const probe of [null, { ...DEFAULT_TCP_PROBE, intervalMs: 20, changingMs: 20, timeoutMs: 5000, fall: 1 }]) {
      await using some = new Numbered(3);
      await using lb = weir(some.plans(), { health: { ...KEEPS, probe }, policy: "round-robin" });
      const user = new Browser();
      const first = await user.number(lb);
      await some.all[first]![Symbol.asyncDispose]();
      if (probe !== null) await until(() => (lb.words.flags(first) & HEALTH_FLAG.down) !== 0);
      const failed = lb.backendErrors(first, "BACKEND_REFUSED");
      const second = await user.number(lb);
      expect(second).toBeGreaterThanOrEqual(0);
      expect(second).not.toBe(first);
      expect(user.set).toStartWith("weir=");
      expect(await user.numbers(lb, 5)).toEqual(new Set([second]));
      expect(user.set).toBeNull();
      // Known to be down, it is not even tried.
      if (probe !== null) expect(lb.backendErrors(first, "BACKEND_REFUSED")).toBe(failed);
    }
  });

  test("when the traffic has ejected it", async () => {
    await using some = new Numbered(3);
    const passive = { ...DEFAULT_PASSIVE, successRate: null, ejectMs: 600_000, maxEjectMs: 600_000 };
    await using lb = weir(some.plans(), { health: { ...KEEPS, passive } });
    const users = Array.from({ length: 3 }, () => new Browser());
    for (const user of users) await user.number(lb);
    for (let i = 0; i < 5; i++) lb.words.failed(0, 1, 5);
    await until(() => (lb.words.flags(1) & HEALTH_FLAG.ejected) !== 0);
    const moved: number[] = [];
    for (const user of users) moved.push(await user.number(lb));
    expect([moved[0], moved[2]]).toEqual([0, 2]);
    expect(moved[1]).not.toBe(1);
    expect(await users[1]!.numbers(lb, 4)).toEqual(new Set([moved[1]!]));
  });

  test("when its backend is in maintenance, or is no backend any more", async () => {
    await using some = new Numbered(3);
    await using before = weir(some.plans());
    for (const after of [some.plans([{ state: "maintenance" }]), some.plans().slice(1)]) {
      const user = new Browser();
      while ((await user.number(before)) !== 0) user.cookie = "";
      await using lb = weir(after);
      expect(await user.number(lb)).toBeGreaterThan(0);
      expect(user.set).toStartWith("weir=");
    }
  });
});

describe("a backend that drains", () => {
  test("keeps its clients until the deadline, and gets no new ones", async () => {
    let now = 1_000_000;
    await using some = new Numbered(3);
    await using before = weir(some.plans());
    const users = Array.from({ length: 3 }, () => new Browser());
    for (const user of users) await user.number(before);
    await using lb = weir(some.plans([{ state: "drain" }]), {
      health: { passive: null, pinnedMs: 60_000 },
      clock: { now: () => now },
    });
    expect(await users[0]!.numbers(lb, 4)).toEqual(new Set([0]));
    const fresh = new Set<number>();
    for (let i = 0; i < 6; i++) fresh.add(await new Browser().number(lb));
    expect(fresh).toEqual(new Set([1, 2]));
    now += 59_999;
    expect(await users[0]!.number(lb)).toBe(0);
    now += 1;
    await until(() => (lb.words.flags(0) & HEALTH_FLAG.pinned) === 0);
    const moved = await users[0]!.number(lb);
    expect(moved).not.toBe(0);
    expect(users[0]!.set).toStartWith("weir=");
    expect(await users[0]!.numbers(lb, 4)).toEqual(new Set([moved]));
    expect(lb.log.map(({ event }) => event)).toContain("backend moves pinned clients");
    expect([await users[1]!.number(lb), await users[2]!.number(lb)]).toEqual([1, 2]);
  });

  test("because it said so itself keeps them too", async () => {
    await using some = new Numbered(2, (index) => (index === 0 ? "weir-state: drain\r\n" : ""));
    await using lb = weir(some.plans());
    const user = new Browser();
    while ((await user.number(lb)) !== 0) user.cookie = "";
    await until(() => lb.words.flags(0) === (HEALTH_FLAG.drain | HEALTH_FLAG.pinned));
    expect(await user.numbers(lb, 5)).toEqual(new Set([0]));
    expect(await new Browser().numbers(lb, 3)).toEqual(new Set([1]));
  });
});

test("without affinity no cookie is set and none is heeded", async () => {
  await using some = new Numbered(2);
  await using lb = cluster({ backends: some.plans() });
  await using pinning = weir(some.plans());
  const user = new Browser();
  await user.number(pinning);
  expect(await user.numbers(lb, 4)).toEqual(new Set([0, 1]));
  expect(user.set).toBeNull();
});
