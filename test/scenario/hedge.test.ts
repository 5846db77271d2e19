import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import { until } from "../fixtures/cluster.ts";
import { backend, type Backend, client, get, ok, post, weir } from "../fixtures/http.ts";

const UNWATCHED = { passive: null } as const;
const AFTER_20_MS = { after: { kind: "time", milliseconds: 20 }, budget: 1 } as const;

const silent = (): Backend => backend(() => undefined);
const quick = (): Backend => backend(({ body }) => ok(`quick ${body}`));

describe("a hedge", () => {
  test("asks another backend after its time; the first answer wins, the other attempt is cancelled", async () => {
    await using slow = silent();
    await using fast = quick();
    await using lb = weir({ backends: [slow, fast], policy: "first", health: UNWATCHED, hedge: AFTER_20_MS });
    await using user = await client(lb);
    expect((await user.ask(post("x", { method: "PUT" }))).body).toBe("quick x");
    await slow.server.connections[0]!.until(({ closed }) => closed);
    expect([lb.backend(0, "hedges"), lb.backend(1, "hedges"), lb.inFlight()]).toEqual([0, 1, 0]);
    expect([slow.requests.length, fast.requests.length]).toEqual([1, 1]);
  });

  test("keeps the first attempt's answer where that comes first", async () => {
    await using slow = backend(({ connection }) => {
      // The other one has been asked, and does not answer.
      void other.request(0).then(() => connection.send(ok("slow but first")));
    });
    await using other = silent();
    await using lb = weir({ backends: [slow, other], policy: "first", health: UNWATCHED, hedge: AFTER_20_MS });
    await using user = await client(lb);
    expect((await user.ask(get())).body).toBe("slow but first");
    await other.server.connections[0]!.until(({ closed }) => closed);
  });

  test("is not made for what answers in time", async () => {
    await using fast = quick();
    await using other = quick();
    const hedge = { after: { kind: "time", milliseconds: 10_000 }, budget: 1 } as const;
    await using lb = weir({ backends: [fast, other], policy: "first", health: UNWATCHED, hedge });
    await using user = await client(lb);
    for (let i = 0; i < 5; i++) expect((await user.ask(get())).status).toBe(200);
    expect(other.requests.length).toBe(0);
  });

  test("is not made for a POST, nor for a body that is too long to be kept", async () => {
    await using slow = backend(({ connection }) => {
      setTimeout(() => connection.send(ok("slow")), 150);
    });
    await using other = quick();
    await using lb = weir({ backends: [slow, other], policy: "first", health: UNWATCHED, hedge: AFTER_20_MS });
    await using user = await client(lb);
    expect((await user.ask(post("x"))).body).toBe("slow");
    expect((await user.ask(post("x".repeat(100_000), { method: "PUT" }))).body).toBe("slow");
    expect(other.requests.length).toBe(0);
  });

  test("goes on with the one attempt when the other fails, whichever that is", async () => {
    for (const loser of [0, 1]) {
      const fails = backend(({ connection }) => {
        void survivor.request(0).then(() => connection.reset());
      });
      const survivor: Backend = backend(({ connection }) => {
        void fails
          .request(0)
          .then(({ connection: lost }) =>
            lost.until(({ closed }) => closed).then(() => connection.send(ok("survivor"))),
          );
      });
      await using lb = weir({
        backends: loser === 0 ? [fails, survivor] : [survivor, fails],
        policy: "first",
        health: UNWATCHED,
        hedge: AFTER_20_MS,
      });
      await using user = await client(lb);
      expect((await user.ask(get())).body).toBe("survivor");
      expect(lb.backendErrors(loser, "BACKEND_RESET")).toBe(1);
      await fails[Symbol.asyncDispose]();
      await survivor[Symbol.asyncDispose]();
    }
  });

  test("passes over an answer that is to be retried while the other attempt is under way", async () => {
    await using slow = backend(({ connection }) => {
      void busy.request(0).then(() => setTimeout(() => connection.send(ok("slow")), 20));
    });
    await using busy = backend(() => ok("busy", "", "503 Busy"));
    const retry = { statuses: [[503, 503]] as const };
    await using lb = weir({ backends: [slow, busy], policy: "first", health: UNWATCHED, hedge: AFTER_20_MS, retry });
    await using user = await client(lb);
    expect((await user.ask(get())).body).toBe("slow");
  });

  test("that finds no other backend costs the budget nothing", async () => {
    let held = false;
    await using slow = backend(({ connection }) => {
      if (!held) setTimeout(() => connection.send(ok("slow")), 60);
    });
    await using other = quick();
    const hedge = { ...AFTER_20_MS, budget: 0 };
    // The only other one takes no work, until it does.
    const backends = [
      slow.port,
      { address: parseAddress(`127.0.0.1:${other.port}`), weight: 1, state: "drain" as const },
    ];
    await using lb = weir({ backends, policy: "first", health: UNWATCHED, hedge });
    await using user = await client(lb);
    for (let i = 0; i < 6; i++) expect((await user.ask(get())).body).toBe("slow");
    lb.words.publish(0, [0, 1], { weights: [1, 1], flags: [0, 0], panic: false, scale: 1 });
    held = true;
    expect((await user.ask(get())).body).toBe("quick ");
  });

  test("keeps to its budget", async () => {
    await using slow = backend(({ connection }) => {
      setTimeout(() => connection.send(ok("slow")), 60);
    });
    await using other = backend(({ connection }) => {
      setTimeout(() => connection.send(ok("slow")), 60);
    });
    const hedge = { ...AFTER_20_MS, budget: 0.1 };
    await using lb = weir({ backends: [slow, other], health: UNWATCHED, hedge });
    const began = performance.now();
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        await using user = await client(lb);
        for (let i = 0; i < 5; i++) expect((await user.ask(get())).status).toBe(200);
      }),
    );
    const hedges = lb.backend(0, "hedges") + lb.backend(1, "hedges");
    // A tenth of 50, and the floor of ten seconds; again in the next ten, should it take so long.
    const most = 8 * Math.ceil((performance.now() - began) / 10_000);
    expect(hedges).toBeGreaterThan(0);
    expect(hedges).toBeLessThanOrEqual(most);
  });

  test("by a quantile waits until it knows the pool's latencies, then asks twice what takes longer than most", async () => {
    let held = false;
    await using first = backend(() => (held ? undefined : ok()));
    await using second = quick();
    const hedge = { after: { kind: "quantile", q: 0.95 }, budget: 1 } as const;
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, hedge });
    await using user = await client(lb);
    for (let i = 0; i < 150; i++) expect((await user.ask(get())).status).toBe(200);
    // What was asked twice till now may yet come to the second.
    const before = lb.backend(1, "hedges");
    held = true;
    expect((await user.ask(get())).body).toBe("quick ");
    expect(lb.backend(1, "hedges")).toBe(before + 1);
  });

  test("leaves nothing behind when the client goes away between two attempts", async () => {
    await using slow = silent();
    await using other = silent();
    await using lb = weir({ backends: [slow, other], policy: "first", health: UNWATCHED, hedge: AFTER_20_MS });
    await using user = await client(lb);
    user.send(get());
    await other.request(0);
    user.raw.reset();
    await until(() => lb.inFlight() === 0);
    for (const { server } of [slow, other]) await server.connections[0]!.until(({ closed }) => closed);
  });
});
