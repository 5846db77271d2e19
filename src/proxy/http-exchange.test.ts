import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  FakeInbound,
  FakeLink,
  type FakeOutbound,
  type HeadParts,
  plainHead,
  upload,
} from "../../test/fixtures/fake-streams.ts";
import { fakeTime, type FakeTime } from "../../test/fixtures/fake-peer.ts";
import { fakeTools } from "../balance/fake-tools.ts";
import { first } from "../balance/first.ts";
import { DEFAULT_LIMITS, DEFAULT_RETRY, DEFAULT_TIMEOUTS } from "../config/schema/defaults.ts";
import type { ErrorCode } from "../errors.ts";
import type { Head } from "../http/head.ts";
import type { HedgePlan, RetryPlan } from "../plan.ts";
import { COLUMN, type Column, CONNECT, DURATION, errorColumn, FIRST_BYTE, type Histogram } from "../observe/columns.ts";
import { Counters, countersBytes } from "../observe/counters.ts";
import { HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import { DEFAULT_PASSIVE } from "../health-plan.ts";
import { Pool } from "../pool/pool.ts";
import { PoolEvidence } from "../pool/pool-evidence.ts";
import { RetryBudget } from "../pool/retry-budget.ts";
import { type ExchangeContext, HttpExchange } from "./http-exchange.ts";
import { Hedge } from "./hedge.ts";
import { Retry } from "./retry.ts";
import type { Feedback } from "./target.ts";
import type { Tunnel } from "./tunnel.ts";

const BACKENDS = 3;
/** More than what a request waits that was lost with two connections. */
const PAUSE_MS = 200;
/** The listener's row, behind those of the backends, and the pool's. */
const LISTENER = BACKENDS;
const POOL = BACKENDS + 1;

/** What differs from the defaults. */
interface Settings {
  readonly retry?: Partial<RetryPlan>;
  readonly hedge?: HedgePlan | null;
  readonly totalMs?: number;
}

/** An exchange between two streams of no protocol. */
class Stage {
  readonly time: FakeTime = fakeTime();
  readonly client: FakeInbound = new FakeInbound();
  readonly links: readonly FakeLink[];
  readonly tunnels: Set<Tunnel> = new Set<Tunnel>();
  /** What somebody learnt of attempts: how, on which backend, after how many milliseconds. */
  readonly learnt: (readonly [how: "answered" | "failed", index: number, milliseconds: number])[] = [];
  readonly exchange: HttpExchange;
  readonly words: HealthWords;
  readonly #counters: Counters;

  constructor(
    request: HeadParts = {},
    prepare: (links: readonly FakeLink[]) => void = () => {},
    bodyBytes: number | null = null,
    { retry = {}, hedge = null, totalMs = 0 }: Settings = {},
  ) {
    const shape = { workers: 1, rows: BACKENDS + 2, cursors: 1 };
    const counters = new Counters(new ArrayBuffer(countersBytes(shape)), shape);
    this.#counters = counters;
    const wordsShape = { pools: 1, rows: BACKENDS };
    this.words = new HealthWords(new ArrayBuffer(healthWordsBytes(wordsShape)), wordsShape);
    this.links = Array.from({ length: BACKENDS }, (_, index) => new FakeLink(counters.row(0, index), this.time.wheel));
    prepare(this.links);
    const members = this.links.map((_, index) => ({ id: `b${index}`, weight: 1 }));
    const limits = { ...DEFAULT_LIMITS, bodyBytes };
    const budget = new RetryBudget();
    const target = {
      route: "*/*",
      live: {
        pool: new Pool("app", first, members, fakeTools()),
        row: counters.row(0, POOL),
        key: null,
        feedback: this.#feedback(),
        health: new PoolEvidence(this.words, 0, [0, 1, 2], { probe: null, passive: DEFAULT_PASSIVE }),
        links: this.links,
        gate: null,
        affinity: null,
        latencies: null,
        budget,
      },
      timeouts: { ...DEFAULT_TIMEOUTS, totalMs },
      limits,
      retry: new Retry({ ...DEFAULT_RETRY, ...retry }, budget),
      hedge: hedge === null ? null : new Hedge(hedge, null, 1),
      attempt: { ...limits, connectMs: DEFAULT_TIMEOUTS.connectMs, idleBackendMs: DEFAULT_TIMEOUTS.idleBackendMs },
    };
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const context: ExchangeContext = {
      listener: "web",
      row: counters.row(0, LISTENER),
      wheel: this.time.wheel,
      fineWheel: this.time.wheel,
      log,
      route: (head: Head) => (head.text(head.targetStart, head.targetEnd) === "/nowhere" ? null : target),
      tunnels: this.tunnels,
      observer: null,
    };
    this.exchange = new HttpExchange(context, this.client, plainHead(request));
    this.exchange.begin();
  }

  #feedback(): Feedback {
    return {
      answered: (index, microseconds) => void this.learnt.push(["answered", index, microseconds / 1000]),
      failed: (index, microseconds) => void this.learnt.push(["failed", index, microseconds / 1000]),
    };
  }

  /** The stream of the latest attempt. */
  get backend(): FakeOutbound {
    const stream = this.links.flatMap(({ streams }) => streams).find(({ over }) => !over);
    if (stream === undefined) throw new Error("no attempt is under way");
    return stream;
  }

  /** Whether an attempt is under way; there is none while the next one is waited for. */
  get tries(): boolean {
    return this.links.some(({ streams }) => streams.some(({ over }) => !over));
  }

  get attempts(): number[] {
    return this.links.map(({ streams }) => streams.length);
  }

  inFlight(): number {
    return Array.from({ length: BACKENDS + 1 }, (_, row) => this.#counters.inFlight(row)).reduce((a, b) => a + b, 0);
  }

  count(column: Column, row: number = LISTENER): number {
    return this.#counters.total(row, COLUMN[column]);
  }

  /** Milliseconds in a histogram, all together, and how many times they are. */
  times(histogram: Histogram, row: number): readonly [milliseconds: number, count: number] {
    const buckets = new Float64Array(histogram.buckets);
    this.#counters.addBuckets(row, histogram, buckets);
    return [this.#counters.total(row, histogram.sum) / 1000, buckets.reduce((a, b) => a + b, 0)];
  }

  errors(code: ErrorCode, row: number = LISTENER): number {
    return this.#counters.total(row, errorColumn(code));
  }
}

test("an exchange knows no protocol: its code loads no codec", async () => {
  const imports = new Bun.Transpiler({ loader: "ts" }).scanImports(
    await Bun.file(`${import.meta.dir}/http-exchange.ts`).text(),
  );
  expect(imports.filter(({ path }) => /http[12]/.test(path))).toEqual([]);
});

describe("between two streams of no protocol", () => {
  test("a request goes one way and its response the other", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.backend.open();
    upload(stage.exchange, "hello ");
    upload(stage.exchange, "world");
    const trailers = plainHead();
    stage.exchange.requestEnd(trailers);
    const { backend } = stage;
    expect([backend.asked, backend.body, backend.trailers]).toEqual([["PUT", "end"], "hello world", trailers]);
    backend.respond(103);
    backend.respond(200);
    backend.send("all ");
    backend.send("right");
    backend.end(trailers);
    const { client } = stage;
    expect([client.sent, client.body, client.trailers]).toEqual([["103", "200", "end"], "all right", trailers]);
    expect(stage.inFlight()).toBe(0);
    expect([stage.count("requests"), stage.count("responses2xx"), stage.count("responses1xx")]).toEqual([1, 1, 1]);
  });

  test("a stream that is ready is used at once", () => {
    const stage = new Stage({}, ([link]) => (link!.idle = true));
    expect(stage.backend.asked).toEqual(["GET", "end"]);
  });

  test("a request that must not be repeated asks for a stream that was used just now", () => {
    expect(new Stage({ method: "POST", framing: "length", length: 1 }).links[0]!.asked).toEqual(["recent"]);
    expect(new Stage({ method: "PUT", framing: "length", length: 1 }).links[0]!.asked).toEqual(["any"]);
  });

  test("a body that comes before its stream is ready waits, and its client is paused at 64 KiB", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    const most = "x".repeat(65_535);
    upload(stage.exchange, most);
    expect(stage.client.paused).toBe(false);
    upload(stage.exchange, "y");
    expect(stage.client.paused).toBe(true);
    stage.backend.open();
    expect([stage.backend.body, stage.client.paused]).toEqual([`${most}y`, false]);
  });

  test("a client is paused while its backend is blocked", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    stage.backend.open();
    stage.backend.blocked = true;
    upload(stage.exchange, "more");
    expect(stage.client.paused).toBe(true);
    stage.backend.events.backendWritable();
    expect(stage.client.paused).toBe(true);
    stage.backend.blocked = false;
    stage.backend.events.backendWritable();
    expect(stage.client.paused).toBe(false);
  });

  test("a backend is paused while its client is blocked", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.respond(200);
    stage.client.blocked = true;
    stage.backend.send("more");
    expect(stage.backend.paused).toBe(true);
    stage.exchange.clientWritable();
    expect(stage.backend.paused).toBe(true);
    stage.client.blocked = false;
    stage.exchange.clientWritable();
    expect(stage.backend.paused).toBe(false);
  });

  test("no route is a 404, no backend a 503, and neither asks anybody", () => {
    const stage = new Stage({ target: "/nowhere" });
    expect([stage.client.sent, stage.attempts]).toEqual([
      ["404", "end"],
      [0, 0, 0],
    ]);
    expect(stage.inFlight()).toBe(0);
  });

  test("a body longer than allowed is refused before or while it comes", () => {
    const announced = new Stage({ method: "POST", framing: "length", length: 11 }, undefined, 10);
    expect([announced.client.sent, announced.attempts]).toEqual([
      ["413", "end"],
      [0, 0, 0],
    ]);
    const stage = new Stage({ method: "POST", framing: "chunked" }, undefined, 10);
    stage.backend.open();
    upload(stage.exchange, "0123456789");
    const { backend } = stage;
    upload(stage.exchange, "x");
    expect([stage.client.sent, backend.asked]).toEqual([
      ["413", "end"],
      ["POST", "cancel"],
    ]);
    expect(stage.inFlight()).toBe(0);
  });
});

describe("a failed attempt", () => {
  test("that has sent nothing goes elsewhere, to each backend once, with the whole request", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    upload(stage.exchange, "early");
    stage.backend.fail("BACKEND_REFUSED");
    stage.backend.fail("BACKEND_CONNECT_TIMEOUT");
    expect(stage.attempts).toEqual([1, 1, 1]);
    stage.backend.open();
    upload(stage.exchange, " late");
    expect(stage.backend.body).toBe("early late");
    expect(stage.links.reduce((sum, { failovers }) => sum + failovers, 0)).toBe(2);
    expect(stage.inFlight()).toBe(2);
  });

  test("is the client's error when every backend has failed", () => {
    const stage = new Stage();
    for (let i = 0; i < BACKENDS; i++) stage.backend.fail("BACKEND_CONNECT_TIMEOUT");
    expect(stage.client.sent).toEqual(["504", "end"]);
    expect(stage.errors("BACKEND_CONNECT_TIMEOUT")).toBe(1);
    expect(stage.inFlight()).toBe(0);
  });

  test("may fail before it has a stream", () => {
    const stage = new Stage({}, (links) => links.forEach((link, index) => (link.failsAtOnce = index !== 1)));
    expect(stage.attempts[1]).toBe(1);
    stage.backend.open();
    expect(stage.backend.asked).toEqual(["GET", "end"]);
    const none = new Stage({}, (links) => links.forEach((link) => (link.failsAtOnce = true)));
    expect([none.client.sent, none.attempts, none.inFlight()]).toEqual([["502", "end"], [1, 1, 1], 0]);
  });

  test("that has sent something on a new connection goes elsewhere when the method allows it", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.fail("BACKEND_RESET");
    expect([stage.client.sent, stage.attempts]).toEqual([[], [1, 1, 0]]);
    const order = new Stage({ method: "POST" });
    order.backend.open();
    order.backend.fail("BACKEND_RESET");
    expect([order.client.sent, order.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
  });

  test("on a used connection is repeated on a new one of the same backend, when it may be", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" }, ([link]) => (link!.idle = true));
    upload(stage.exchange, "body");
    stage.exchange.requestEnd(null);
    stage.backend.fail("BACKEND_RESET");
    expect(stage.links[0]!.asked).toEqual(["any", "none"]);
    stage.backend.open();
    expect([stage.backend.body, stage.backend.asked]).toEqual(["body", ["PUT", "end"]]);
    // Closed under a fresh connection too: that one goes down, and what may be repeated is, elsewhere.
    stage.backend.fail("BACKEND_RESET");
    expect(stage.attempts).toEqual([2, 1, 0]);
    stage.backend.open();
    expect([stage.backend.body, stage.backend.asked]).toEqual(["body", ["PUT", "end"]]);
    stage.backend.fail("BACKEND_INCOMPLETE");
    stage.time.pass(PAUSE_MS);
    stage.backend.open();
    stage.backend.fail("BACKEND_RESET");
    expect(stage.client.sent).toEqual(["502", "end"]);
    expect(stage.attempts).toEqual([2, 1, 1]);
  });

  test("that lost a second connection is followed by another a moment later, over a new connection, unless nobody waits any more", () => {
    const lost = (head: HeadParts, more: Settings = {}): Stage => {
      const stage = new Stage(head, ([, , last]) => (last!.idle = true), null, more);
      for (let i = 0; i < 2; i++) {
        stage.backend.open();
        stage.backend.fail("BACKEND_RESET");
      }
      expect([stage.attempts, stage.inFlight()]).toEqual([[1, 1, 0], 1]);
      return stage;
    };
    const stage = lost({ method: "PUT", framing: "chunked" });
    // What comes meanwhile is kept for it.
    upload(stage.exchange, "body");
    stage.exchange.requestEnd(null);
    stage.time.pass(PAUSE_MS);
    stage.backend.open();
    expect([stage.backend.body, stage.backend.asked, stage.links[2]!.asked]).toEqual([
      "body",
      ["PUT", "end"],
      ["none"],
    ]);
    stage.exchange.requestFailed("CLIENT_GONE", "");
    const gone = lost({});
    gone.exchange.requestFailed("CLIENT_GONE", "");
    gone.time.pass(PAUSE_MS);
    expect([gone.attempts, gone.inFlight(), gone.time.wheel.idle]).toEqual([[1, 1, 0], 0, true]);
    const late = lost({}, { totalMs: 50 });
    late.time.pass(PAUSE_MS);
    expect([late.client.sent, late.attempts, late.time.wheel.idle]).toEqual([["504", "end"], [1, 1, 0], true]);
  });

  test("on a used connection, and then refused, may be what killed its backend: it counts", () => {
    const stage = new Stage({}, (links) => links.forEach((link) => (link.idle = true)), null, {
      retry: { attempts: 2 },
    });
    stage.backend.fail("BACKEND_RESET");
    stage.backend.fail("BACKEND_REFUSED");
    stage.backend.open();
    stage.backend.fail("BACKEND_RESET");
    expect(stage.links.map(({ asked }) => asked)).toEqual([["any", "none"], ["none"], []]);
    expect([stage.client.sent, stage.attempts]).toEqual([
      ["502", "end"],
      [2, 1, 0],
    ]);
  });

  test("of which no byte was taken is not repeated either when some of its body is gone", () => {
    const long = 100_000;
    const stage = new Stage({ method: "POST", framing: "length" }, ([link]) => (link!.idle = true));
    upload(stage.exchange, "x".repeat(long));
    // The system had taken nothing: a head alone would leave the next request to be read as its body.
    stage.backend.sent = false;
    stage.backend.fail("BACKEND_RESET");
    expect(stage.attempts).toEqual([1, 0, 0]);
    expect(stage.client.sent[0]).toBe("502");
  });

  test("that was answered before a byte was taken is one that was sent: it is not repeated without end", () => {
    const stage = new Stage({}, () => {}, null, { retry: { statuses: [[503, 503]] } });
    for (let tries = 0; tries < 10 && stage.client.sent.length === 0; tries++) {
      const { backend } = stage;
      backend.open();
      backend.sent = false;
      backend.respond(503);
      if (stage.client.sent.length === 0) backend.end();
    }
    expect([stage.client.sent, stage.attempts]).toEqual([["503"], [1, 1, 1]]);
  });

  test("of which no byte was taken is repeated with its body, whatever the method", () => {
    const stage = new Stage({ method: "POST", framing: "length" }, ([link]) => (link!.idle = true));
    stage.backend.sent = false;
    upload(stage.exchange, "hello");
    stage.backend.sent = false;
    stage.backend.fail("BACKEND_RESET");
    expect(stage.attempts).toEqual([2, 0, 0]);
    stage.backend.open();
    expect(stage.backend.body).toBe("hello");
  });

  test("on a used connection is not repeated when the method forbids it, or the body is too long to keep", () => {
    const bare = new Stage({ method: "POST" }, ([link]) => (link!.idle = true));
    bare.backend.fail("BACKEND_RESET");
    expect([bare.client.sent, bare.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
    const post = new Stage({ method: "POST", framing: "chunked" }, ([link]) => (link!.idle = true));
    upload(post.exchange, "x");
    post.backend.fail("BACKEND_RESET");
    expect([post.client.sent, post.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
    const long = new Stage({ method: "PUT", framing: "chunked" }, ([link]) => (link!.idle = true));
    upload(long.exchange, "x".repeat(65 * 1024));
    long.backend.fail("BACKEND_RESET");
    expect([long.client.sent, long.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
  });

  test("in the middle of a response breaks it visibly", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.respond(200);
    stage.backend.fail("BACKEND_INCOMPLETE");
    expect(stage.client.sent).toEqual(["200", "abort"]);
    expect([stage.errors("BACKEND_INCOMPLETE"), stage.errors("BACKEND_INCOMPLETE", 0)]).toEqual([1, 1]);
    expect(stage.inFlight()).toBe(0);
  });
});

describe("deadlines, at their defaults", () => {
  test("60 s for a response, 1xx or not", () => {
    const stage = new Stage();
    const { backend } = stage;
    backend.open();
    stage.time.pass(30_000);
    backend.respond(103);
    stage.time.pass(29_000);
    expect(stage.client.sent).toEqual(["103"]);
    stage.time.pass(2_000);
    expect([stage.client.sent, backend.asked]).toEqual([
      ["103", "504", "end"],
      ["GET", "end", "cancel"],
    ]);
    expect(stage.inFlight()).toBe(0);
  });

  test("30 s without progress for an upload, however long it takes in all", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    stage.backend.open();
    for (let i = 0; i < 5; i++) {
      stage.time.pass(29_000);
      upload(stage.exchange, "x");
    }
    expect(stage.client.sent).toEqual([]);
    stage.time.pass(31_000);
    expect(stage.client.sent).toEqual(["408", "end"]);
    expect(stage.errors("CLIENT_BODY_TIMEOUT")).toBe(1);
  });

  test("30 s without progress of a backend that does not read: its fault, not the client's", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    stage.backend.open();
    stage.backend.blocked = true;
    upload(stage.exchange, "x");
    stage.time.pass(29_000);
    stage.backend.events.backendWritable();
    stage.time.pass(29_000);
    expect(stage.client.sent).toEqual([]);
    stage.time.pass(2_000);
    expect(stage.client.sent).toEqual(["504", "end"]);
    expect(stage.errors("BACKEND_SLOW_READER")).toBe(1);
  });

  test("30 s without progress for a download, whoever stands still", () => {
    const silent = new Stage();
    silent.backend.open();
    silent.backend.respond(200);
    for (let i = 0; i < 5; i++) {
      silent.time.pass(29_000);
      silent.backend.send("x");
    }
    silent.time.pass(31_000);
    expect(silent.client.sent).toEqual(["200", "abort"]);
    expect(silent.errors("BACKEND_BODY_TIMEOUT")).toBe(1);
    const unread = new Stage();
    unread.backend.open();
    unread.backend.respond(200);
    unread.client.blocked = true;
    unread.backend.send("x");
    unread.time.pass(31_000);
    expect(unread.errors("CLIENT_SLOW_READER")).toBe(1);
    expect([silent.inFlight(), unread.inFlight()]).toEqual([0, 0]);
  });

  test("none is left when all is done", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.respond(200);
    stage.backend.end();
    expect(stage.time.wheel.idle).toBe(true);
  });
});

describe("an upgrade", () => {
  const chat = { upgrade: "chat" };

  test("makes a tunnel of both connections, in flight until it ends", () => {
    const stage = new Stage(chat);
    const { backend, client } = stage;
    backend.open();
    backend.respond(101);
    expect(client.sent).toEqual(["101", "detach"]);
    expect([stage.tunnels.size, stage.inFlight()]).toEqual([1, 2]);
    client.peer.receive("up");
    backend.peer.receive("down");
    expect([backend.peer.text, client.peer.text]).toEqual(["up", "down"]);
    client.peer.finish();
    backend.peer.finish();
    expect([stage.tunnels.size, stage.inFlight()]).toEqual([0, 0]);
  });

  test("may be refused by any other response", () => {
    const stage = new Stage(chat);
    stage.backend.open();
    stage.backend.respond(426);
    stage.backend.end();
    expect(stage.client.sent).toEqual(["426", "end"]);
  });
});

test("a client that is gone takes its attempt with it, at whatever point", () => {
  const points: readonly ((stage: Stage) => void)[] = [
    () => {},
    ({ backend }) => backend.open(),
    ({ backend }) => {
      backend.open();
      backend.respond(200);
    },
  ];
  for (const reach of points) {
    const stage = new Stage();
    reach(stage);
    const { backend } = stage;
    stage.exchange.requestFailed("CLIENT_GONE", "");
    expect(backend.asked.at(-1)).toBe("cancel");
    expect([stage.inFlight(), stage.errors("CLIENT_GONE")]).toEqual([0, 1]);
  }
});

test("property: whatever happens in whatever order, there is one end for the client, and nothing stays in flight", () => {
  const event = fc.constantFrom(
    "upload",
    "upload end",
    "client blocked",
    "client writable",
    "client breaks its body",
    "open",
    "backend blocked",
    "backend writable",
    "interim",
    "head",
    "send",
    "end",
    "refused",
    "reset",
    "incomplete",
    "time",
  );
  const request = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT"),
    framing: fc.constantFrom("none" as const, "chunked" as const),
    upgrade: fc.constantFrom("", "chat"),
  });
  const prepared = fc.record({ idle: fc.boolean(), failsAtOnce: fc.boolean() });
  fc.assert(
    fc.property(
      request,
      fc.tuple(prepared, prepared, prepared),
      fc.array(event, { maxLength: 25 }),
      (head, ways, events) => {
        const stage = new Stage(head, (links) => links.forEach((link, index) => Object.assign(link, ways[index])));
        const { client, exchange, time } = stage;
        let uploading = head.framing === "chunked";
        let responding = false;
        for (const what of events) {
          if (!client.over && !stage.tries) time.pass(PAUSE_MS);
          if (client.over) break;
          const { backend } = stage;
          if (what === "upload" && uploading && !client.paused) upload(exchange, "x");
          else if (what === "upload end" && uploading) {
            uploading = false;
            exchange.requestEnd(null);
          } else if (what === "client blocked") client.blocked = true;
          else if (what === "client writable") {
            client.blocked = false;
            exchange.clientWritable();
          } else if (what === "client breaks its body" && uploading) {
            uploading = false;
            exchange.requestFailed("CLIENT_BAD_BODY", "");
          } else if (what === "time") time.pass(20_000);
          else if (what === "refused" && !backend.ready) backend.fail("BACKEND_REFUSED");
          else if (what === "open" && !backend.ready) backend.open();
          else if (!backend.sent) continue;
          else if (what === "backend blocked") backend.blocked = true;
          else if (what === "backend writable") {
            backend.blocked = false;
            backend.events.backendWritable();
          } else if (what === "reset" && !responding) backend.fail("BACKEND_RESET");
          else if (what === "incomplete") backend.fail("BACKEND_INCOMPLETE");
          else if (what === "interim" && !responding) backend.respond(103);
          else if (what === "head" && !responding) {
            responding = true;
            backend.respond(200);
          } else if (what === "send" && responding) backend.send("y");
          else if (what === "end" && responding) backend.end();
        }
        if (!client.over) exchange.requestFailed("CLIENT_GONE", "");
        expect(stage.inFlight()).toBe(0);
        expect(time.wheel.idle).toBe(true);
        for (const stream of stage.links.flatMap(({ streams }) => streams)) expect(stream.over).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

describe("a deadline of one attempt", () => {
  const attemptMs = 500;

  test("does not run while the client sends", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" }, () => {}, null, { retry: { attemptMs } });
    stage.time.pass(300);
    stage.backend.open();
    for (let i = 0; i < 10; i++) {
      upload(stage.exchange, "slow");
      stage.time.pass(400);
    }
    expect(stage.client.sent).toEqual([]);
    stage.exchange.requestEnd(null);
    stage.time.pass(400);
    expect(stage.client.sent).toEqual([]);
    stage.time.pass(300);
    expect(stage.client.sent).toEqual(["504", "end"]);
  });

  test("covers connecting and waiting together where the request is there", () => {
    const stage = new Stage({}, () => {}, null, { retry: { attemptMs } });
    stage.time.pass(300);
    stage.backend.open();
    stage.time.pass(400);
    expect(stage.client.sent).toEqual(["504", "end"]);
  });
});

test("there is one hedge for an exchange, whatever becomes of the attempts", () => {
  const hedge = { after: { kind: "time" as const, milliseconds: 100 }, budget: 1 };
  const stage = new Stage({}, () => {}, null, { hedge });
  stage.backend.open();
  stage.time.pass(200);
  expect(stage.attempts).toEqual([1, 1, 0]);
  stage.links[0]!.streams[0]!.fail("BACKEND_RESET");
  stage.links[1]!.streams[0]!.open();
  stage.time.pass(1000);
  expect(stage.attempts).toEqual([1, 1, 0]);
});

test("a client is read until a body's end though nobody takes it yet, so that its going away is noticed", () => {
  const stage = new Stage({ method: "POST", framing: "length", length: 4 });
  upload(stage.exchange, "body");
  expect(stage.client.paused).toBe(false);
  stage.exchange.requestEnd(null);
  stage.backend.open();
  expect(stage.client.paused).toBe(false);
  const long = new Stage({ method: "POST", framing: "length", length: 100_000 });
  upload(long.exchange, "x".repeat(70_000));
  expect(long.client.paused).toBe(true);
  upload(long.exchange, "x".repeat(30_000));
  long.exchange.requestEnd(null);
  expect(long.client.paused).toBe(false);
});

test("what is closed under a used connection a second after it was sent was not closed by the race", () => {
  const stage = new Stage({ method: "DELETE" }, ([link]) => (link!.idle = true));
  stage.time.pass(2000);
  stage.backend.fail("BACKEND_RESET");
  // Elsewhere, and not once more on a fresh connection of the same backend.
  expect(stage.attempts).toEqual([1, 1, 0]);
});

test("no delay of a hedge and no total deadline outlives its exchange", () => {
  const hedge = { after: { kind: "time" as const, milliseconds: 100 }, budget: 1 };
  const stage = new Stage({}, () => {}, null, { hedge, totalMs: 1000 });
  stage.backend.open();
  expect(stage.time.wheel.idle).toBe(false);
  stage.backend.respond(200);
  stage.backend.end();
  expect(stage.time.wheel.idle).toBe(true);
});

test("property: with retries and hedges too, and a response is that of one attempt alone", () => {
  const event = fc.record({
    what: fc.constantFrom(
      "open",
      "head",
      "busy",
      "send",
      "end",
      "reset",
      "incomplete",
      "interim",
      "time",
      "upload end",
    ),
    /** Which of the streams that are open. */
    which: fc.nat(2),
  });
  const request = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT"),
    framing: fc.constantFrom("none" as const, "chunked" as const),
  });
  const settings = fc.record({
    retry: fc.record({
      attempts: fc.integer({ min: 1, max: 4 }),
      on: fc.subarray(["connect-failure", "refused", "reset", "timeout"] as const),
      statuses: fc.constantFrom([], [[503, 503] as const]),
      attemptMs: fc.constantFrom(0, 500),
    }),
    hedge: fc.constantFrom(null, { after: { kind: "time" as const, milliseconds: 100 }, budget: 1 }),
    totalMs: fc.constantFrom(0, 2000),
  });
  fc.assert(
    fc.property(
      request,
      fc.array(fc.boolean(), { minLength: BACKENDS, maxLength: BACKENDS }),
      settings,
      fc.array(event, { maxLength: 30 }),
      (head, idle, given, events) => {
        const stage = new Stage(
          head,
          (links) => links.forEach((link, at) => Object.assign(link, { idle: idle[at] })),
          null,
          given,
        );
        const { client, exchange, time } = stage;
        const streams = (): FakeOutbound[] => stage.links.flatMap((link) => link.streams);
        const responding = new Set<FakeOutbound>();
        const sent = new Map<FakeOutbound, string>();
        let uploading = head.framing === "chunked";
        for (const { what, which } of events) {
          if (client.over) break;
          const open = streams().filter(({ over }) => !over);
          const stream = open[which % Math.max(1, open.length)];
          if (what === "time") time.pass(150);
          else if (what === "upload end" && uploading) {
            uploading = false;
            upload(exchange, "body");
            exchange.requestEnd(null);
          } else if (stream === undefined) continue;
          else if (what === "open" && !stream.ready) stream.open();
          else if (!stream.sent) continue;
          else if ((what === "head" || what === "busy") && !responding.has(stream)) {
            responding.add(stream);
            stream.respond(what === "head" ? 200 : 503);
          } else if (what === "interim" && !responding.has(stream)) stream.respond(103);
          else if (what === "send" && responding.has(stream)) {
            const text = String.fromCharCode(97 + streams().indexOf(stream));
            sent.set(stream, (sent.get(stream) ?? "") + text);
            stream.send(text);
          } else if (what === "end" && responding.has(stream)) stream.end();
          else if (what === "reset" && !responding.has(stream)) stream.fail("BACKEND_RESET");
          else if (what === "incomplete") stream.fail("BACKEND_INCOMPLETE");
        }
        if (!client.over) exchange.requestFailed("CLIENT_GONE", "");
        // A response that was left unsent has a second to end.
        time.pass(5000);
        expect(stage.inFlight()).toBe(0);
        expect(time.wheel.idle).toBe(true);
        for (const stream of streams()) expect(stream.over).toBe(true);
        const asked = streams().filter((stream) => stream.asked.some((each) => each !== "cancel" && each !== "end"));
        if (head.method === "POST") expect(asked.length).toBeLessThanOrEqual(1);
        // Repeated over fresh connections, and once beside for the hedge.
        expect(streams().length).toBeLessThanOrEqual(2 * (given.retry.attempts + (given.hedge === null ? 1 : 2)));
        const error = /^\d{3} .*\n/.test(client.body);
        if (client.body !== "" && !error) expect([...sent.values()]).toContain(client.body);
      },
    ),
    { numRuns: 3000 },
  );
});

describe("what is learnt of a backend", () => {
  test("is the time from the request's end to the response's head, whatever the client took", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.time.pass(100);
    stage.backend.open();
    stage.time.pass(1000);
    upload(stage.exchange, "slow");
    stage.exchange.requestEnd(null);
    stage.time.pass(30);
    stage.backend.respond(103);
    stage.time.pass(10);
    stage.backend.respond(200);
    stage.time.pass(500);
    stage.backend.end();
    expect(stage.learnt).toEqual([["answered", 0, 40]]);
  });

  test("is the time from the request's head where the response comes before the request's end", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.time.pass(100);
    stage.backend.open();
    stage.time.pass(20);
    stage.backend.respond(400);
    stage.backend.end();
    expect(stage.learnt).toEqual([["answered", 0, 20]]);
  });

  test("is its own part only, where one attempt follows another", () => {
    const stage = new Stage();
    stage.time.pass(300);
    stage.backend.fail("BACKEND_CONNECT_TIMEOUT");
    stage.time.pass(7);
    stage.backend.open();
    stage.time.pass(5);
    stage.backend.respond(200);
    expect(stage.learnt).toEqual([
      ["failed", 0, 300],
      ["answered", 1, 5],
    ]);
  });

  test("is a failure where it answers 5xx, resets, breaks off, or is too late", () => {
    const reset = new Stage({ method: "POST" });
    reset.backend.open();
    reset.backend.fail("BACKEND_RESET");
    const broken = new Stage();
    broken.backend.open();
    broken.backend.respond(200);
    broken.time.pass(40);
    broken.backend.fail("BACKEND_INCOMPLETE");
    const late = new Stage();
    late.backend.open();
    late.time.pass(DEFAULT_TIMEOUTS.responseMs + 1000);
    for (const status of [500, 503]) {
      const stage = new Stage();
      stage.backend.open();
      stage.backend.respond(status);
      expect(stage.learnt).toEqual([["failed", 0, 0]]);
    }
    expect(reset.learnt).toEqual([["failed", 0, 0]]);
    expect(broken.learnt).toEqual([
      ["answered", 0, 0],
      ["failed", 0, 0],
    ]);
    expect(late.learnt.map(([how]) => how)).toEqual(["failed"]);
    expect(late.learnt[0]?.[2]).toBeGreaterThan(DEFAULT_TIMEOUTS.responseMs);
  });

  test("is nothing where the client goes away, or an idle connection was closed at the other end", () => {
    const gone = new Stage();
    gone.backend.open();
    gone.exchange.requestFailed("CLIENT_GONE", "");
    expect(gone.learnt).toEqual([]);
    const stale = new Stage({}, ([link]) => (link!.idle = true));
    stale.backend.fail("BACKEND_RESET");
    expect(stale.learnt).toEqual([]);
  });

  test("is the answer of a 101", () => {
    const stage = new Stage({ upgrade: "websocket" });
    stage.backend.open();
    stage.time.pass(10);
    stage.backend.respond(101);
    expect(stage.learnt).toEqual([["answered", 0, 10]]);
  });
});

describe("the histograms", () => {
  test("have of the pool the whole time, and of the backend its own", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.time.pass(5);
    stage.backend.open();
    stage.time.pass(10);
    stage.exchange.requestEnd(null);
    stage.time.pass(20);
    stage.backend.respond(103);
    stage.backend.respond(200);
    stage.time.pass(40);
    stage.backend.end();
    for (const row of [0, POOL])
      expect([CONNECT, FIRST_BYTE, DURATION].map((histogram) => stage.times(histogram, row))).toEqual([
        [5, 1],
        [35, 1],
        [75, 1],
      ]);
    expect(stage.times(DURATION, 1)).toEqual([0, 0]);
  });

  test("have of each attempt the part that was its backend's, and of the request one time in all", () => {
    const stage = new Stage({});
    stage.backend.open();
    stage.time.pass(10);
    stage.backend.fail("BACKEND_RESET");
    stage.time.pass(1);
    stage.backend.open();
    stage.time.pass(20);
    stage.backend.respond(200);
    stage.backend.end();
    expect([stage.times(FIRST_BYTE, 0), stage.times(DURATION, 0)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect([stage.times(FIRST_BYTE, 1), stage.times(DURATION, 1)]).toEqual([
      [21, 1],
      [21, 1],
    ]);
    expect([stage.times(FIRST_BYTE, POOL), stage.times(DURATION, POOL)]).toEqual([
      [31, 1],
      [31, 1],
    ]);
  });

  test("have a request that fails, but no head of a response for it; and no connecting on a used connection", () => {
    const stage = new Stage({ method: "POST", framing: "length", length: 1 }, ([link]) => (link!.idle = true));
    upload(stage.exchange, "x");
    stage.exchange.requestEnd(null);
    stage.time.pass(7);
    stage.exchange.requestFailed("CLIENT_GONE", "");
    expect([CONNECT, FIRST_BYTE, DURATION].map((histogram) => stage.times(histogram, POOL))).toEqual([
      [0, 0],
      [0, 0],
      [7, 1],
    ]);
  });

  test("have an upgrade until its 101", () => {
    const stage = new Stage({ upgrade: "websocket" });
    stage.backend.open();
    stage.time.pass(3);
    stage.backend.respond(101);
    stage.time.pass(1000);
    for (const row of [0, POOL]) expect(stage.times(FIRST_BYTE, row)).toEqual([3, 1]);
    expect(stage.times(DURATION, POOL)).toEqual([3, 1]);
  });
});

describe("what an attempt says of the health of its backend", () => {
  test("is a failure where the backend resets, breaks off or is too late, and nothing where the client or Weir fails", () => {
    const reset = new Stage({ method: "POST" });
    reset.backend.open();
    reset.backend.fail("BACKEND_RESET");
    const broken = new Stage();
    broken.backend.open();
    broken.backend.respond(200);
    broken.backend.fail("BACKEND_INCOMPLETE");
    const late = new Stage();
    late.backend.open();
    late.time.pass(DEFAULT_TIMEOUTS.responseMs + 1000);
    const stale = new Stage({ method: "POST", framing: "length", length: 1 }, ([link]) => (link!.idle = true));
    upload(stale.exchange, "x");
    stale.backend.fail("BACKEND_RESET");
    const gone = new Stage();
    gone.backend.open();
    gone.exchange.requestFailed("CLIENT_GONE", "");
    expect([reset, broken, late, stale, gone].map(({ words }) => words.failures(0))).toEqual([1, 1, 1, 0, 0]);
  });

  test("goes to each backend that was tried, and an answer ends its row", () => {
    const stage = new Stage();
    stage.backend.fail("BACKEND_REFUSED");
    stage.backend.open();
    expect([0, 1].map((row) => stage.words.failures(row))).toEqual([1, 0]);
    stage.words.failed(0, 1, 5);
    stage.backend.respond(500);
    expect([0, 1].map((row) => stage.words.failures(row))).toEqual([1, 0]);
  });
});
