import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import type { BackendPlan } from "../../src/plan.ts";
import { planOf, until } from "../fixtures/cluster.ts";
import { changing, Timers } from "../fixtures/changing.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";

/** `drain.tunnels` by default. */
const TUNNELS_MS = 3_600_000;

function full(port: number): Partial<BackendPlan> {
  return { address: parseAddress(`127.0.0.1:${port}`), maxConnections: 1 };
}

describe("at the end of `drain.tunnels`", () => {
  test("a connection that waits for a backend that stays goes on waiting, though one that was removed refused it", async () => {
    const timers = new Timers();
    await using dies = rawServer();
    await using stays = rawServer();
    await using lb = changing(
      { mode: "tcp", policy: "first", backends: [dies.port, full(stays.port)] },
      timers.network,
    );
    const old = await connectRaw(lb.port);
    await dies.connection(0);
    dies.stopAccepting();
    const first = await connectRaw(lb.port);
    await stays.connection(0);
    const waits = await connectRaw(lb.port);
    const [row] = lb.placement.pools;
    await until(() => lb.counters.waiting(row!) === 1);
    const { backends } = planOf({ backends: [full(stays.port)] }).pools[0]!;
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends }));
    timers.over(TUNNELS_MS);
    await old.until(({ closed }) => closed);
    first.reset();
    await stays.connection(1);
    expect(waits.closed).toBe(false);
  });

  test("a connection that waits for one of those that were all replaced is turned away", async () => {
    const timers = new Timers();
    await using old = rawServer();
    await using young = rawServer();
    await using lb = changing({ mode: "tcp", backends: [full(old.port)] }, timers.network);
    const first = await connectRaw(lb.port);
    await old.connection(0);
    const waiting = [await connectRaw(lb.port), await connectRaw(lb.port)];
    const [row] = lb.placement.pools;
    await until(() => lb.counters.waiting(row!) === 2);
    const { backends } = planOf({ backends: [full(young.port)] }).pools[0]!;
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends }));
    timers.over(TUNNELS_MS);
    for (const client of [first, ...waiting]) await client.until(({ closed }) => closed);
    expect(old.connections.length).toBe(1);
  });
});
