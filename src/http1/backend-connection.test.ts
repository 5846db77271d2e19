import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FakePeer, fakeTime, type FakeTime } from "../../test/fixtures/fake-peer.ts";
import { requestHead } from "../../test/fixtures/head-text.ts";
import { parsesDuring } from "../../test/fixtures/parses.ts";
import { bytewise, cuts, pieces } from "../../test/fixtures/splits.ts";
import type { Origin, ResponseEvents } from "../http/streams.ts";
import { cork } from "../net/cork.ts";
import { BackendConnection, type BackendContext } from "./backend-connection.ts";

const ORIGIN: Origin = { address: "192.0.2.7", forwarded: Buffer.alloc(0), trusted: false, via: false };
const LIMITS = {
  connectMs: 3_000,
  idleBackendMs: 4_000,
  idleConnections: 8,
  headBytes: 1024,
  fields: 8,
  targetBytes: 64,
};
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A connection to a backend without a network, and all that was told of it. */
class Subject {
  readonly peer: FakePeer = new FakePeer();
  readonly time: FakeTime = fakeTime();
  readonly told: string[] = [];
  body = "";
  released = 0;
  left = 0;
  readonly learnt: number[] = [];
  readonly connection: BackendConnection;
  readonly #events: ResponseEvents = {
    backendReady: () => void this.told.push("ready"),
    responseHead: ({ status }) => void this.told.push(String(status)),
    responseBody: (bytes, start, end) => {
      this.body += bytes.toString("latin1", start, end);
    },
    responseEnd: (trailers) => void this.told.push(`end ${trailers?.count ?? 0}`),
    attemptFailed: (code) => void this.told.push(code),
    stalled: () => undefined,
    backendWritable: () => void this.told.push("writable"),
  };

  constructor() {
    const context: BackendContext = {
      wheel: this.time.wheel,
      host: Buffer.from("backend:80"),
      opened: () => {},
      abandoned: () => {},
      abandonedOver: () => {},
      closedEarly: () => {},
      released: () => {
        this.released += 1;
      },
      left: () => {
        this.left += 1;
      },
      learntKeepAlive: (seconds) => void this.learnt.push(seconds),
    };
    this.connection = new BackendConnection(context, this.#events, LIMITS);
    this.peer.data = this.connection;
  }

  /** Sends a head whose body never follows. */
  askWithoutBody(request: string): this {
    this.connection.sendHead(requestHead(request), ORIGIN);
    this.connection.sendEnd(null);
    cork.flush();
    return this;
  }

  open(): this {
    this.connection.opened(this.peer);
    return this;
  }

  ask(request: string = GET): this {
    const head = requestHead(request);
    this.connection.sendHead(head, ORIGIN);
    this.connection.sendEnd(null);
    cork.flush();
    return this;
  }

  again(): this {
    this.connection.lease(this.#events, LIMITS);
    return this;
  }
}

const asked = (request?: string): Subject => new Subject().open().ask(request);

describe("property: any split of a response into pieces gives the same result", () => {
  const chunk = fc.stringMatching(/^[a-z]{1,9}$/).map((text) => `${text.length.toString(16)}\r\n${text}\r\n`);
  const response = fc.oneof(
    fc.stringMatching(/^[a-z]{0,9}$/).map((body) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    fc
      .tuple(fc.array(chunk, { maxLength: 3 }), fc.constantFrom("0\r\n\r\n", "0\r\nX-T: 1\r\n\r\n", "zz\r\n\r\n", ""))
      .map(([chunks, last]) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join("")}${last}`),
    fc.constantFrom(
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
      "HTTP/1.0 200 OK\r\n\r\nuntil the end",
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
      "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
      "HTTP/1.1 200 OK\nX: y\r\n\r\n",
      "HTTP/1.1 2",
      "garbage",
    ),
  );
  const interim = fc.array(fc.constantFrom("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"), {
    maxLength: 2,
  });
  const behind = fc.constantFrom("", "", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", "\r\n");

  function outcome(request: string, parts: readonly Buffer[]): unknown {
    const subject = asked(request);
    for (const part of parts) subject.peer.receive(part);
    const { over } = subject.peer;
    subject.peer.finish();
    const { told, body, left, learnt } = subject;
    // Whether it is closed for what came behind, or before anything did, is the same to whoever asked.
    return { told, body, left, learnt, reset: over === "terminate" };
  }

  test("of any kind, with anything behind it", () => {
    const request = fc.constantFrom(GET, GET.replace("GET", "HEAD"));
    fc.assert(
      fc.property(request, interim, response, behind, fc.nat(1000), (head, before, text, rest, seed) => {
        const bytes = Buffer.from(before.join("") + text + rest, "latin1");
        const whole = outcome(head, [bytes]);
        expect(outcome(head, bytewise(bytes))).toEqual(whole);
        for (const at of fc.sample(cuts(bytes.length), { numRuns: 3, seed }))
          expect(outcome(head, pieces(bytes, at))).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });
});

describe("a connection", () => {
  test("that is not accepted in time is given up, and closed should it open yet", () => {
    const subject = new Subject();
    subject.time.pass(2_900);
    expect(subject.told).toEqual([]);
    subject.time.pass(300);
    expect(subject.told).toEqual(["BACKEND_CONNECT_TIMEOUT"]);
    expect(subject.left).toBe(1);
    subject.open();
    expect(subject.peer.over).toBe("terminate");
    expect(subject.told.length).toBe(1);
  });

  test("that is given up while it is dialled is closed should it open yet, and tells nothing", () => {
    const subject = new Subject();
    subject.connection.cancel();
    subject.open();
    expect([subject.peer.over, subject.told, subject.left]).toEqual(["terminate", [], 1]);
  });

  test("is released when its response is complete, and serves another request", () => {
    const subject = asked();
    subject.peer.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect([subject.released, subject.left]).toEqual([1, 0]);
    subject.again().ask();
    expect(subject.connection.reused).toBe(true);
    subject.peer.receive("HTTP/1.1 204 No Content\r\n\r\n");
    expect(subject.told).toEqual(["ready", "200", "end 0", "204", "end 0"]);
    expect(subject.released).toBe(2);
  });

  test("is not released before its request has been sent in full", () => {
    const subject = new Subject().open();
    subject.connection.sendHead(requestHead("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"), ORIGIN);
    subject.peer.receive("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    expect([subject.told.at(-1), subject.released, subject.left, subject.peer.over]).toEqual(["end 0", 0, 1, "close"]);
  });

  for (const [why, response] of [
    ["something came behind its response", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n"],
    ["the backend closes it", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"],
    ["its response announced a body that it must not have", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n"],
  ] as const)
    test(`is not released when ${why}`, () => {
      const subject = asked();
      subject.peer.receive(response);
      expect([subject.told.at(-1), subject.released, subject.left]).toEqual(["end 0", 0, 1]);
    });

  test("that is idle is closed by any byte that comes, by its end, and by its deadline", () => {
    for (const happens of [
      (subject: Subject) => subject.peer.receive("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"),
      (subject: Subject) => subject.peer.finish(),
      (subject: Subject) => subject.peer.lose(),
      (subject: Subject) => subject.time.pass(5_000),
    ]) {
      const subject = asked();
      subject.peer.receive("HTTP/1.1 204 No Content\r\n\r\n");
      subject.connection.park(4_000);
      const { length } = subject.told;
      happens(subject);
      expect([subject.left, subject.told.length]).toEqual([1, length]);
    }
  });

  test("whose body waits for the client is read again for the next request", () => {
    const subject = asked();
    subject.peer.receive("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok");
    subject.connection.pauseBody();
    expect(subject.peer.paused).toBe(true);
    // What was under way still comes.
    subject.peer.receive("ok");
    expect([subject.released, subject.peer.paused]).toEqual([1, false]);
  });

  test("tells what the backend says of keeping it", () => {
    const subject = asked();
    subject.peer.receive("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=7, max=100\r\nContent-Length: 0\r\n\r\n");
    expect(subject.learnt).toEqual([7]);
  });

  test("that is cancelled is reset, and tells nothing more", () => {
    const subject = asked();
    subject.connection.cancel();
    expect([subject.peer.over, subject.left]).toEqual(["terminate", 1]);
    subject.peer.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    subject.peer.lose();
    expect([subject.told, subject.left]).toEqual([["ready"], 1]);
  });

  for (const [when, response, code] of [
    ["before any byte of a response", "", "BACKEND_RESET"],
    ["within a head", "HTTP/1.1 20", "BACKEND_INCOMPLETE"],
    ["behind an interim response", "HTTP/1.1 100 Continue\r\n\r\n", "BACKEND_INCOMPLETE"],
    ["within a body", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok", "BACKEND_INCOMPLETE"],
    ["within a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nok", "BACKEND_INCOMPLETE"],
  ] as const)
    for (const how of ["finish", "lose"] as const)
      test(`that ends (${how}) ${when} fails its attempt: ${code}`, () => {
        const subject = asked();
        if (response !== "") subject.peer.receive(response);
        subject.peer[how](how === "lose" ? new Error("reset") : undefined);
        expect([subject.told.at(-1), subject.left]).toEqual([code, 1]);
      });

  test("that is reset within a body that ends with it fails its attempt; its end completes it", () => {
    const response = "HTTP/1.1 200 OK\r\n\r\nsome";
    const whole = asked();
    whole.peer.receive(response);
    whole.peer.finish();
    expect(whole.told.at(-1)).toBe("end 0");
    const broken = asked();
    broken.peer.receive(response);
    broken.peer.lose(new Error("reset"));
    expect(broken.told.at(-1)).toBe("BACKEND_INCOMPLETE");
  });

  test("that vanishes without an end within a body that ends with it fails its attempt", () => {
    const subject = asked();
    subject.peer.receive("HTTP/1.1 200 OK\r\n\r\nsome");
    subject.peer.lose();
    expect(subject.told.at(-1)).toBe("BACKEND_INCOMPLETE");
  });
});

test("a connection on which an announced body was not sent whole is not used again", () => {
  const subject = new Subject().open();
  subject.askWithoutBody("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
  subject.connection.received(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  expect([subject.told.at(-1), subject.released, subject.left]).toEqual(["end 0", 0, 1]);
});

test("a response that ends with its connection is broken off where a write has met a reset before that end", () => {
  const subject = new Subject().open();
  subject.connection.sendHead(requestHead("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), ORIGIN);
  cork.flush();
  subject.peer.receive("HTTP/1.1 200 OK\r\n\r\nhalf");
  subject.peer.gone = true;
  subject.connection.sendBody(Buffer.from("more"), 0, 4);
  cork.flush();
  subject.peer.finish();
  expect(subject.told).toContain("BACKEND_INCOMPLETE");
});

describe("a head that drips in byte by byte", () => {
  test("is parsed once a line, not once a byte, and so is an interim one before it", () => {
    const subject = asked();
    const text = `HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 ${"x".repeat(200)}\r\nX-One: ${"a".repeat(500)}\r\nContent-Length: 2\r\n\r\nok`;
    const parses = parsesDuring(() => {
      for (const byte of bytewise(Buffer.from(text))) subject.peer.receive(byte);
    });
    expect(subject).toMatchObject({ told: ["ready", "103", "200", "end 0"], body: "ok" });
    // The first byte and the end of each line of either.
    expect(parses).toBe(3 + 5);
  });

  test("without an end of a line is refused once it is larger than allowed", () => {
    const subject = asked();
    for (const byte of bytewise(Buffer.from(`HTTP/1.1 200 ${"x".repeat(LIMITS.headBytes)}`)))
      subject.peer.receive(byte);
    expect(subject.told).toEqual(["ready", "BACKEND_HEAD_TOO_LARGE"]);
  });
});
