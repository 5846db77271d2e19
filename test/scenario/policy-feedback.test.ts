import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import { POLICIES } from "../../src/balance/registry.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Cluster, ClusterOptions } from "../fixtures/cluster.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { type Backend, backend, client, get, NOBODY, ok, weir } from "../fixtures/http.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";

type Given = NonNullable<ClusterOptions["policy"]>;

const KEY = [{ kind: "header", name: "x-key" }] as const;
/** Policies that look at latency. */
const TIMED: readonly (readonly [string, Given])[] = [
  ["least-time", "least-time"],
  ["two-choices by peak-ewma", { name: "two-choices", load: "peak-ewma" }],
];
/** Policies that look at load or latency. */
const AWARE: readonly (readonly [string, Given])[] = [
  ...TIMED,
  ["least-connections", "least-connections"],
  ["two-choices", "two-choices"],
  ...["rendezvous", "ring", "maglev"].map(
    (name) => [`${name} with bounded load`, { name, key: KEY, maxLoadFactor: 1.25 }] as const,
  ),
];

/** Nobody is ejected: it is the policy alone that takes traffic from a backend. */
const UNWATCHED = { passive: null } as const;
const OTHERS = 3;
const CLIENTS = 8;
const EACH = 100;
const ALL = CLIENTS * EACH;
/** More than passes between two looks at the clock under this load, on a machine that goes on. */
const MOST_AT_ONCE_MS = 3;

/** A clock that does not see the machine stand still, which would be held against whatever backends had a request just then. */
function steadyClock(): Clock {
  let read = systemClock.now();
  let passed = read;
  return {
    now() {
      const now = systemClock.now();
      passed += Math.min(now - read, MOST_AT_ONCE_MS);
      read = now;
      return passed;
    },
  };
}

/** Of what its backend says, only that it takes a time. */
function slowly(milliseconds: number): Backend {
  return backend(({ connection }) => {
    setTimeout(() => connection.send(ok()), milliseconds);
  });
}

/** Clients that ask at once, each one request after another, with another key each time. @returns how often they got each status */
async function load(lb: Cluster, clients = CLIENTS, each = EACH): Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>();
  await Promise.all(
    Array.from({ length: clients }, async (_, i) => {
      await using user = await client(lb);
      for (let n = 0; n < each; n++) {
        const { status } = await user.ask(get("/", `X-Key: ${i}-${n}\r\n`));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }),
  );
  return statuses;
}

/** One backend, and three that answer after a millisecond. @returns which part of the load the one got */
async function shareOf(one: Backend, policy: Given): Promise<number> {
  const others = Array.from({ length: OTHERS }, () => slowly(1));
  // Nothing is repeated: what is counted is what the policy chose.
  const more = { health: UNWATCHED, retry: { on: [] }, clock: steadyClock() };
  await using lb = weir({ backends: [one, ...others], policy, ...more });
  await load(lb);
  const got = one.requests.length;
  expect(others.reduce((sum, { requests }) => sum + requests.length, got)).toBe(ALL);
  for (const each of [one, ...others]) await each[Symbol.asyncDispose]();
  return got / ALL;
}

describe.each(AWARE)("%s", (_, policy) => {
  test("takes traffic from a backend that answers 500 at once", async () => {
    expect(
      await shareOf(
        backend(() => ok("", "", "500 Oops")),
        policy,
      ),
    ).toBeLessThan(0.15);
  });

  test("takes traffic from a backend that closes without an answer", async () => {
    expect(
      await shareOf(
        backend(({ connection }) => connection.end()),
        policy,
      ),
    ).toBeLessThan(0.15);
  });

  test("gives a backend that is as good as the others its share", async () => {
    expect(await shareOf(slowly(1), policy)).toBeWithin(0.1, 0.45);
  });

  test("takes traffic from a backend that cannot be connected to, and every request is answered", async () => {
    const others = Array.from({ length: OTHERS }, () => slowly(1));
    const more = { health: UNWATCHED, clock: steadyClock() };
    await using lb = weir({ backends: [NOBODY[0]!, ...others], policy, ...more });
    expect(await load(lb)).toEqual(new Map([[200, ALL]]));
    expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBeLessThan(0.15 * ALL);
    for (const each of others) await each[Symbol.asyncDispose]();
  });
});

describe.each(TIMED)("%s", (_, policy) => {
  test("takes traffic from a backend that is slow, even where nothing else is in flight", async () => {
    // One request at a time: time passes only while a backend has it, and just as much as it takes.
    const clock = new HandClock();
    const taking = (milliseconds: number): Backend =>
      backend(() => {
        clock.pass(milliseconds);
        return ok();
      });
    const slow = taking(30);
    const others = Array.from({ length: OTHERS }, () => taking(1));
    await using lb = weir({ backends: [slow, ...others], policy, clock });
    await load(lb, 1, 200);
    expect(slow.requests.length).toBeWithin(1, 20);
    for (const each of [slow, ...others]) await each[Symbol.asyncDispose]();
  });

  test("over TCP takes connections from a backend that refuses them", async () => {
    const servers = Array.from({ length: OTHERS }, () =>
      rawServer({ onConnection: (connection) => connection.send("x") }),
    );
    await using lb = weir({
      mode: "tcp",
      backends: [NOBODY[0]!, ...servers.map(({ port }) => port)],
      policy,
      health: UNWATCHED,
      clock: steadyClock(),
    });
    for (let i = 0; i < 200; i++) {
      await using user = await connectRaw(lb.port);
      await user.untilText("x");
    }
    // Its even share would be 50.
    expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBeLessThan(40);
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
});

test("round-robin and random go on giving a failing backend its share: they look at nothing", async () => {
  for (const policy of ["round-robin", "random"])
    expect(
      await shareOf(
        backend(() => ok("", "", "500 Oops")),
        policy,
      ),
    ).toBeWithin(0.18, 0.32);
});

describe.each([...POLICIES.keys()])("%s", (name) => {
  test("by its name alone answers every request, over HTTP and TCP", async () => {
    const backends = Array.from({ length: OTHERS }, () => backend());
    const servers = Array.from({ length: OTHERS }, () =>
      rawServer({ onConnection: (connection) => connection.send("x") }),
    );
    await using lb = weir({ backends, policy: name });
    await using tcp = weir({ mode: "tcp", backends: servers.map(({ port }) => port), policy: name });
    expect(await load(lb)).toEqual(new Map([[200, ALL]]));
    for (let i = 0; i < 20; i++) {
      await using user = await connectRaw(tcp.port);
      await user.untilText("x");
    }
    expect(tcp.listener("connections")).toBe(20);
    for (const each of [...backends, ...servers]) await each[Symbol.asyncDispose]();
  });

  test("gives a backend of weight 0 nothing", async () => {
    const [off, on] = [backend(), backend()];
    await using lb = weir({
      backends: [{ address: parseAddress(`127.0.0.1:${off.port}`), weight: 0 }, on],
      policy: name,
    });
    await load(lb);
    expect([off.requests.length, on.requests.length]).toEqual([0, ALL]);
    for (const each of [off, on]) await each[Symbol.asyncDispose]();
  });
});

test.each(["random", "two-choices"])("%s: shares follow the weights", async (name) => {
  const [heavy, light] = [backend(), backend()];
  const weighted = { address: parseAddress(`127.0.0.1:${heavy.port}`), weight: 4 };
  const third = backend();
  await using lb = weir({ backends: [weighted, light, third], policy: name });
  await load(lb);
  const share = heavy.requests.length / ALL;
  expect(share).toBeWithin(0.45, 0.85);
  for (const each of [heavy, light, third]) await each[Symbol.asyncDispose]();
});
