import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FakePeer, fakeTime, type FakeTime } from "../../test/fixtures/fake-peer.ts";
import { damagedHead, headText } from "../../test/fixtures/request-arbitrary.ts";
import { parsesDuring } from "../../test/fixtures/parses.ts";
import { bytewise, cuts, pieces } from "../../test/fixtures/splits.ts";
import type { ErrorCode } from "../errors.ts";
import { buildResponseHead } from "../http/build-head.ts";
import type { Head } from "../http/head.ts";
import { Origins } from "../http/origin.ts";
import type { InboundStream, RequestEvents } from "../http/streams.ts";
import { ClientConnection, type ClientContext } from "./client-connection.ts";

const LIMITS = { headBytes: 1024, fields: 8, targetBytes: 64 };

/** What one request came to, as its exchange was told. */
interface Told {
  head: string;
  body: string;
  end: string;
}

/** A client's connection without a network, whose requests are answered when they have ended. */
class Subject {
  readonly connection: FakePeer = new FakePeer();
  readonly time: FakeTime = fakeTime();
  readonly told: Told[] = [];
  readonly refused: ErrorCode[] = [];
  readonly streams: InboundStream[] = [];
  left = 0;
  readonly client: ClientConnection;
  readonly context: ClientContext;

  constructor(answer: "at once" | "when ended" | "never" = "when ended") {
    const origins = new Origins([], false);
    this.context = {
      wheel: this.time.wheel,
      limits: LIMITS,
      headMs: 10_000,
      keepAliveMs: 60_000,
      bodyMs: 30_000,
      draining: false,
      serve: (stream, request) => this.#serve(stream, request, answer),
      originOf: (connection) => origins.of(connection),
      refused: (code) => void this.refused.push(code),
      left: () => {
        this.left += 1;
      },
    };
    this.client = new ClientConnection(this.context, this.connection);
    this.connection.data = this.client;
  }

  /** What the client got, without what changes by the second. */
  get text(): string {
    return this.connection.text.replace(/Date: [^\r]*\r\n/g, "");
  }

  #serve(stream: InboundStream, request: Head, answer: string): RequestEvents {
    const told: Told = { head: request.text(request.methodStart, request.end), body: "", end: "" };
    this.told.push(told);
    this.streams.push(stream);
    if (answer === "at once") respond(stream);
    const ended = (end: string): void => {
      told.end = end;
      if (answer === "when ended") respond(stream);
    };
    if (request.framing === "none") ended("no body");
    return {
      requestBody: (bytes, start, end) => {
        told.body += bytes.toString("latin1", start, end);
      },
      requestEnd: (trailers) => ended(`end ${trailers?.count ?? 0}`),
      requestFailed: (code) => {
        told.end = code;
        if (code !== "CLIENT_GONE") respond(stream, 400);
      },
      clientWritable: () => {},
    };
  }
}

function respond(stream: InboundStream, status = 200): void {
  stream.sendHead(buildResponseHead(status, "X", [], 2));
  stream.sendBody(Buffer.from("ok"), 0, 2);
  stream.sendEnd(null);
}

const OK = "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok";
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("property: any split of the input into pieces gives the same result", () => {
  const chunk = fc.stringMatching(/^[a-z]{1,9}$/).map((text) => `${text.length.toString(16)}\r\n${text}\r\n`);
  const withBody = fc.oneof(
    fc
      .stringMatching(/^[a-z]{0,9}$/)
      .map((body) => `PUT /l HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    fc
      .tuple(
        fc.array(chunk, { maxLength: 3 }),
        fc.constantFrom("0\r\n\r\n", "0\r\nX-T: 1\r\n\r\n", "0;x\r\n\r\n", "zz\r\n\r\n"),
      )
      .map(
        ([chunks, last]) => `PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join("")}${last}`,
      ),
  );
  const input = fc
    .array(fc.oneof(withBody, headText, damagedHead), { minLength: 1, maxLength: 4 })
    .map((all) => all.join(""));

  function outcome(parts: readonly Buffer[]): unknown {
    const subject = new Subject();
    for (const part of parts) subject.connection.receive(part);
    // What is left incomplete is given up in the end, however it came.
    subject.connection.receive("\n");
    const { told, text, refused, connection, left } = subject;
    return { told, text, refused, over: connection.over, finished: connection.finished, left };
  }

  test("of one or several requests, right or wrong", () => {
    fc.assert(
      fc.property(input, fc.nat(1000), (text, seed) => {
        const bytes = Buffer.from(text, "latin1");
        const whole = outcome([bytes]);
        expect(outcome(bytewise(bytes))).toEqual(whole);
        for (const at of fc.sample(cuts(bytes.length), { numRuns: 3, seed }))
          expect(outcome(pieces(bytes, at))).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });
});

describe("one after another", () => {
  test("requests sent at once are answered in order", () => {
    const subject = new Subject();
    subject.connection.receive(GET.repeat(3));
    expect(subject.text).toBe(OK.repeat(3));
    expect(subject.connection.over).toBe("");
  });

  test("a second request begins when the first response is complete, not before", () => {
    const subject = new Subject("never");
    subject.connection.receive(GET.repeat(2));
    expect(subject.told.length).toBe(1);
    respond(subject.streams[0]!);
    expect(subject.told.length).toBe(2);
    respond(subject.streams[1]!);
    expect(subject.text).toBe(OK.repeat(2));
  });

  test("what comes ahead of its turn is bounded: the connection is not read, and read again", () => {
    const subject = new Subject("never");
    subject.connection.receive(GET);
    const paused = (): boolean => subject.connection.paused;
    while (!paused()) {
      subject.connection.receive(GET.repeat(100));
      expect(subject.told.length).toBe(1);
    }
    for (let i = 0; i < subject.streams.length; i++) respond(subject.streams[i]!);
    expect(paused()).toBe(false);
    expect(subject.text.split("200").length - 1).toBe(subject.told.length);
  });

  test("a client that is not read and gone is read again when its response is over, and so told of its end", () => {
    const subject = new Subject("never");
    const paused = (): boolean => subject.connection.paused;
    while (!paused()) subject.connection.receive(GET);
    subject.connection.gone = true;
    respond(subject.streams[0]!);
    expect(paused()).toBe(false);
  });

  test("after Connection: close nothing more is taken", () => {
    const subject = new Subject();
    subject.connection.receive(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
    expect(subject.told.length).toBe(1);
    expect(subject.connection.over).toBe("close");
    expect(subject.left).toBe(1);
  });

  test("a response that is not read stops the next request until it is", () => {
    const subject = new Subject();
    subject.connection.capacity = 10;
    subject.connection.receive(GET + GET);
    expect(subject.told.length).toBe(1);
    subject.connection.drain(1000);
    expect(subject.told.length).toBe(2);
    expect(subject.text).toBe(OK.repeat(2));
  });
});

describe("an early response", () => {
  const put = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

  test("to a request whose body is all here leaves the connection open", () => {
    const subject = new Subject("at once");
    subject.connection.receive(`${put}0123456789${GET}`);
    expect(subject.text).toBe(OK.repeat(2));
    expect(subject.connection.over).toBe("");
  });

  test("to a request whose body is not tells that the connection closes, and it closes", () => {
    const subject = new Subject("at once");
    subject.connection.receive(`${put}012`);
    expect(subject.text).toContain("Connection: close");
    expect(subject.connection.finished).toBe(true);
    // The rest of the body is read and dropped, so that the client is not reset before it has read the response.
    subject.connection.receive("3456789");
    expect(subject.connection.over).toBe("");
    subject.time.pass(5_000);
    expect(subject.connection.over).toBe("close");
  });
});

describe("deadlines", () => {
  test("a client that sends nothing is closed without a word", () => {
    const subject = new Subject();
    subject.time.pass(9_900);
    expect(subject.connection.over).toBe("");
    subject.time.pass(500);
    expect(subject.connection.over).toBe("close");
    expect(subject.text).toBe("");
    expect(subject.left).toBe(1);
  });

  test("a head is to be complete in its time, however steadily it drips in", () => {
    const subject = new Subject();
    subject.connection.receive("GET / HTTP/1.1\r\nX: ");
    for (let second = 0; second < 12 && subject.text === ""; second++) {
      subject.connection.receive("a");
      subject.time.pass(1_000);
    }
    expect(subject.text).toStartWith("HTTP/1.1 408 ");
    expect(subject.text).toContain("CLIENT_HEAD_TIMEOUT");
    expect(subject.told.length).toBe(0);
  });

  test("a connection is kept idle for its time, counted from the last response", () => {
    const subject = new Subject();
    for (let i = 0; i < 3; i++) {
      subject.connection.receive(GET);
      subject.time.pass(59_000);
      expect(subject.connection.over).toBe("");
    }
    subject.time.pass(2_000);
    expect(subject.connection.over).toBe("close");
    expect(subject.text).toBe(OK.repeat(3));
  });

  test("an empty line after a request does not begin the next one", () => {
    const subject = new Subject();
    subject.connection.receive(`${GET}\r\n`);
    subject.time.pass(30_000);
    expect(subject.connection.over).toBe("");
    subject.connection.receive(GET);
    expect(subject.text).toBe(OK.repeat(2));
  });

  test("a response that nobody reads to its end is given up", () => {
    const subject = new Subject();
    subject.connection.capacity = 10;
    subject.connection.receive(GET);
    subject.time.pass(31_000);
    expect(subject.connection.over).toBe("terminate");
    expect(subject.refused).toEqual(["CLIENT_SLOW_READER"]);
  });
});

describe("an end", () => {
  test("while a request is served is told to its exchange, once", () => {
    for (const end of ["finish", "lose"] as const) {
      const subject = new Subject("never");
      subject.connection.receive(GET);
      subject.connection[end]();
      expect(subject.told[0]?.end).toBe("CLIENT_GONE");
      expect(subject.left).toBe(1);
    }
  });

  test("of the client while its last response still goes out lets it go out", () => {
    const subject = new Subject();
    subject.connection.capacity = 10;
    subject.connection.receive(GET);
    subject.connection.finish();
    expect(subject.connection.over).toBe("");
    subject.connection.drain();
    expect(subject.text).toBe(OK);
    expect(subject.connection.over).toBe("close");
  });

  test("after it a late answer does nothing", () => {
    const subject = new Subject("never");
    subject.connection.receive(GET);
    subject.connection.lose();
    respond(subject.streams[0]!);
    expect(subject.text).toBe("");
  });
});

describe("draining", () => {
  test("an idle connection closes once what was on its way must have come", () => {
    const subject = new Subject();
    subject.connection.receive(GET);
    subject.client.drain();
    subject.time.pass(400);
    expect(subject.connection.over).toBe("");
    subject.time.pass(200);
    expect(subject.connection.over).toBe("close");
  });

  test("a request that was on its way is answered, and the connection closes", () => {
    const subject = new Subject("never");
    subject.context.draining = true;
    subject.client.drain();
    subject.connection.receive(GET);
    respond(subject.streams[0]!);
    expect(subject.text).toContain("Connection: close");
    // What the client has sent ahead is read and dropped: to close at once could reset the response.
    expect(subject.connection.acts).toEqual(["shutdown"]);
    subject.connection.receive(GET);
    expect(subject.streams).toHaveLength(1);
    subject.time.pass(2100);
    expect(subject.connection.over).toBe("close");
  });

  test("a connection at work closes after the response, and tells so", () => {
    const subject = new Subject("never");
    subject.connection.receive(GET);
    subject.context.draining = true;
    subject.client.drain();
    expect(subject.connection.over).toBe("");
    respond(subject.streams[0]!);
    expect(subject.text).toContain("Connection: close");
    // What the client has sent ahead is read and dropped: to close at once could reset the response.
    expect(subject.connection.acts).toEqual(["shutdown"]);
    subject.connection.receive(GET);
    expect(subject.streams).toHaveLength(1);
    subject.time.pass(2100);
    expect(subject.connection.over).toBe("close");
  });
});

test("a head that drips in byte by byte is parsed once a line, not once a byte", () => {
  const subject = new Subject("never");
  const parses = parsesDuring(() => {
    for (const byte of bytewise(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${"a".repeat(500)}\r\n\r\n`)))
      subject.connection.receive(byte);
  });
  expect(subject.told.length).toBe(1);
  // The first byte, and the end of each of four lines.
  expect(parses).toBe(5);
});
