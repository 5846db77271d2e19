import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FakePeer, fakeTime } from "../../test/fixtures/fake-peer.ts";
import { type RawConnection, rawServer, refusingPort } from "../../test/fixtures/raw.ts";
import { parseAddress } from "../address.ts";
import { cork } from "../net/cork.ts";
import { dial } from "../net/dial.ts";
import { DEFAULT_HTTP_PROBE, type HttpProbePlan } from "../health-plan.ts";
import type { ProbeOutcome } from "../pool/probe-state.ts";
import { ANSWER_BYTES, HttpProbe } from "./http.ts";
import { probeRequest } from "./http-request.ts";
import { makeProbe } from "./start-probe.ts";

type Answer = (connection: RawConnection) => void;

/** Probes a server on a real socket that answers each request as told; time passes when the test says so. */
async function probe(
  of: Partial<HttpProbePlan>,
  answer: string | Answer,
  during: (time: ReturnType<typeof fakeTime>, connection: RawConnection) => void | Promise<void> = () => {},
): Promise<{ readonly outcome: ProbeOutcome; readonly request: string; readonly connection: RawConnection }> {
  await using server = rawServer({
    onData: (connection) => {
      if (!connection.text.endsWith("\r\n\r\n")) return;
      if (typeof answer === "string") connection.send(answer);
      else answer(connection);
    },
  });
  const time = fakeTime();
  const address = parseAddress(`127.0.0.1:${server.port}`);
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
  makeProbe({ ...DEFAULT_HTTP_PROBE, ...of }, address, { dial, wheel: time.wheel }, resolve).start(dial, address);
  const connection = await (await server.connection(0)).untilText("\r\n\r\n");
  await during(time, connection);
  const outcome = await promise;
  await connection.untilEnd();
  expect(time.wheel.idle).toBe(true);
  return { outcome, request: connection.text.replaceAll(String(server.port), "PORT"), connection };
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const failure = async (of: Partial<HttpProbePlan>, answer: string | Answer): Promise<string> => {
  const { outcome } = await probe(of, answer);
  return outcome.kind === "failed" ? `${outcome.code}: ${outcome.why}` : "passed";
};

describe("the request", () => {
  test("says who asks, and that the connection serves no other", async () => {
    const { outcome, request, connection } = await probe({ path: "/health?deep=1" }, OK);
    expect(outcome).toEqual({ kind: "passed", tookMs: 0, advice: { state: null, weightPercent: 100 } });
    expect(request).toBe(
      "GET /health?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: weir-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    );
    expect(connection.error).toBeNull();
  });

  test("carries the host and fields of the plan, in the place of its own", () => {
    const address = parseAddress("unix:/s");
    const text = (of: Partial<HttpProbePlan>): string =>
      probeRequest({ ...DEFAULT_HTTP_PROBE, ...of }, address).toString("latin1");
    expect(text({})).toContain("\r\nHost: localhost\r\n");
    expect(text({ method: "POST", host: "app.example" })).toBe(
      "POST / HTTP/1.1\r\nHost: app.example\r\nUser-Agent: weir-probe\r\nAccept: */*\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
    expect(
      text({
        headers: [
          ["user-agent", "me"],
          ["X-A", "1"],
        ],
      }),
    ).toBe("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\nuser-agent: me\r\nX-A: 1\r\n\r\n");
  });
});

describe("the answer", () => {
  test("of another status than expected fails", async () => {
    expect(await failure({}, OK.replace("200 OK", "503 Busy"))).toBe("null: status 503 instead of 200-399");
    expect(await failure({ status: [[204, 204]] }, OK)).toBe("null: status 200 instead of 204");
    expect(await failure({ status: [[503, 503]] }, OK.replace("200 OK", "503 Busy"))).toBe("passed");
  });

  test("may come after interim ones, and without a body to HEAD", async () => {
    expect(await failure({}, `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n${OK}`)).toBe(
      "passed",
    );
    expect(await failure({ method: "HEAD" }, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")).toBe("passed");
    expect(await failure({}, "HTTP/1.1 101 No\r\n\r\n")).toBe("null: status 101 instead of 200-399");
  });

  test("may say of the backend what it wants", async () => {
    const advised = OK.replace("\r\n\r\n", "\r\nWeir-State: drain\r\nweir-weight: 50%\r\n\r\n");
    const advice = { state: "drain" as const, weightPercent: 50 };
    expect((await probe({}, advised)).outcome).toEqual({ kind: "passed", tookMs: 0, advice });
    // It is there, and says what it wants.
    expect((await probe({}, advised.replace("200 OK", "503 Bye"))).outcome).toEqual({
      kind: "passed",
      tookMs: 0,
      advice,
    });
    const lowered = OK.replace("200 OK\r\n", "500 No\r\nweir-weight: 10\r\n");
    expect((await probe({}, lowered)).outcome).toMatchObject({
      kind: "failed",
      advice: { state: null, weightPercent: 10 },
    });
  });

  test("is looked at no further than needed: an endless body passes where none is expected", async () => {
    expect(await failure({}, "HTTP/1.1 200 OK\r\n\r\nand so on")).toBe("passed");
  });
});

test("the connection is closed in order after an answer, whatever it says, and reset where there was none", async () => {
  const { connection } = await probe({}, OK.replace("200 OK", "503 Busy"));
  expect(connection.error).toBeNull();
  const broken = await probe({}, "SSH-2.0-OpenSSH_9.2\r\n");
  await broken.connection.until(({ closed }) => closed);
  expect(broken.connection.error).toMatchObject({ code: "ECONNRESET" });
});

describe("the body", () => {
  const text = { kind: "text", text: "ready" } as const;

  test("must hold the text, however it is framed", async () => {
    expect(await failure({ body: text }, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot ready")).toBe("passed");
    expect(
      await failure(
        { body: text },
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n",
      ),
    ).toBe("passed");
    const untilClose: Answer = (connection) => {
      connection.send("HTTP/1.1 200 OK\r\n\r\nready");
      connection.shutdown();
    };
    expect(await failure({ body: text }, untilClose)).toBe("passed");
    expect(await failure({ body: text }, OK)).toBe('null: body without "ready"');
  });

  test("must match the pattern, whole", async () => {
    const body = { kind: "pattern", source: "^ok$", flags: "i" } as const;
    expect(await failure({ body }, OK.replace("\r\n\r\nok", "\r\n\r\nOK"))).toBe("passed");
    expect(await failure({ body }, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noks")).toBe(
      "null: body without /^ok$/i",
    );
  });

  test("is read up to 64 KiB: what stands before is found, what comes later is not", async () => {
    const endless =
      (beginning: string): Answer =>
      (connection) =>
        connection.send(`HTTP/1.1 200 OK\r\n\r\n${beginning}${"x".repeat(4 * ANSWER_BYTES)}ready`);
    expect(await failure({ body: text }, endless("ready"))).toBe("passed");
    expect(await failure({ body: text }, endless(""))).toBe('null: body without "ready"');
  });

  test("with broken chunks fails", async () => {
    const broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    expect(await failure({ body: text }, broken)).toBe("BACKEND_BAD_RESPONSE: a chunk without a size");
  });
});

describe("fails", () => {
  test("where nobody listens", async () => {
    const { wheel } = fakeTime();
    const address = parseAddress(`127.0.0.1:${refusingPort()}`);
    const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
    makeProbe(DEFAULT_HTTP_PROBE, address, { dial, wheel }, resolve).start(dial, address);
    expect(await promise).toMatchObject({ kind: "failed", code: "BACKEND_REFUSED" });
  });

  test("with silence, or half a head, when the time is up", async () => {
    for (const said of ["", "HTTP/1.1 200 OK\r\nContent-"]) {
      const { outcome } = await probe({}, said, (time) => time.pass(2200));
      expect(outcome).toEqual({
        kind: "failed",
        tookMs: 2200,
        advice: null,
        code: "BACKEND_RESPONSE_TIMEOUT",
        why: "no complete answer within 2000 ms",
      });
    }
  });

  test("with a body that goes on and on, when the time is up", async () => {
    const body = { kind: "text", text: "ready" } as const;
    const { outcome } = await probe({ body }, "HTTP/1.1 200 OK\r\n\r\n", (time, connection) => {
      for (let i = 0; i < 5; i++) {
        connection.send("drip");
        time.pass(500);
      }
    });
    expect(outcome).toMatchObject({ kind: "failed", code: "BACKEND_RESPONSE_TIMEOUT" });
  });

  test("where the connection ends too soon", async () => {
    expect(await failure({}, (connection) => connection.end())).toBe(
      "BACKEND_RESET: connection closed before an answer",
    );
    expect(await failure({}, (connection) => connection.reset())).toBe(
      "BACKEND_RESET: connection reset before an answer",
    );
    const half: Answer = (connection) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-");
      connection.shutdown();
    };
    expect(await failure({}, half)).toBe("BACKEND_INCOMPLETE: connection closed in the middle of the answer");
    const halfBody: Answer = (connection) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nready");
      connection.shutdown();
    };
    const body = { kind: "text", text: "ready" } as const;
    expect(await failure({ body }, halfBody)).toBe("BACKEND_INCOMPLETE: connection closed in the middle of the answer");
  });

  test("where it is no HTTP, or a head without end", async () => {
    expect(await failure({}, "SSH-2.0-OpenSSH_9.2\r\n")).toBe("BACKEND_BAD_RESPONSE: no HTTP/1.x at the beginning");
    expect(await failure({}, `HTTP/1.1 200 OK\r\nA: ${"x".repeat(ANSWER_BYTES)}`)).toStartWith(
      "BACKEND_HEAD_TOO_LARGE",
    );
    expect(await failure({}, "HTTP/1.1 100 Go\r\n\r\n".repeat(10_000))).toBe(
      "null: no final status within 65536 bytes",
    );
  });
});

test("property: however an answer is cut into pieces, the outcome is the same", () => {
  const answers = [
    OK,
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
    `HTTP/1.1 102 Wait\r\n\r\n${OK}`,
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 2",
    "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
  ];
  const plan: HttpProbePlan = { ...DEFAULT_HTTP_PROBE, body: { kind: "text", text: "ok" } };
  const run = (pieces: readonly string[]): ProbeOutcome | null => {
    const time = fakeTime();
    const outcomes: ProbeOutcome[] = [];
    const probing = new HttpProbe(plan, Buffer.from("GET"), time.wheel, (outcome) => void outcomes.push(outcome));
    const peer = new FakePeer();
    probing.start(() => {}, parseAddress("127.0.0.1:1"));
    peer.data = probing;
    probing.opened(peer);
    cork.flush();
    expect(peer.text).toBe("GET");
    for (const piece of pieces) peer.receive(piece);
    peer.finish();
    peer.lose();
    time.pass(10_000);
    expect(outcomes).toHaveLength(1);
    return outcomes[0] ?? null;
  };
  fc.assert(
    fc.property(fc.constantFrom(...answers), fc.array(fc.nat(100), { maxLength: 8 }), (answer, cuts) => {
      const at = [0, ...cuts.map((cut) => cut % answer.length), answer.length].sort((a, b) => a - b);
      const pieces = at
        .slice(1)
        .map((end, i) => answer.slice(at[i], end))
        .filter((piece) => piece !== "");
      expect(run(pieces)).toEqual(run([answer]));
    }),
  );
});
