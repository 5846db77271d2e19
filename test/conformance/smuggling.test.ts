import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { type Cluster, cluster } from "../fixtures/cluster.ts";
import { type Client, client, get } from "../fixtures/http.ts";
import { readLeniently } from "../fixtures/lenient-reader.ts";
import type { Message } from "../fixtures/message.ts";
import { echo, recordingBackend, type RecordingBackend } from "../fixtures/recording-backend.ts";
import { cuts, pieces } from "../fixtures/splits.ts";
import { readStrictly } from "../fixtures/strict-reader.ts";
import { type SmugglingCase, smugglingCases } from "./smuggling-cases.ts";

// Each case is sent whole and in pieces, with a backend behind Weir that forgives everything and with one that forgives
// nothing. Neither may see a request that was not plainly sent, and another client, who uses the same connection to the
// backend before and after, gets its own answers.

setDefaultTimeout(60_000);

/** Ways in which each case is cut into pieces, beside that it is not. */
const CUTS = 2;
const LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** Weir, what is behind it, and a client that does no harm. */
interface Side {
  readonly name: string;
  readonly app: RecordingBackend;
  readonly lb: Cluster;
  readonly neighbour: Client;
}

async function side(name: string, app: RecordingBackend): Promise<Side> {
  // However long the machine stands still: it is not for its age that a connection is not used again.
  const lb = cluster({ backends: [app.port], timeouts: { idleBackendMs: 3_600_000 } });
  return { name, app, lb, neighbour: await client(lb) };
}

let sides: readonly Side[] = [];

async function start(): Promise<void> {
  sides = [
    await side("lenient", recordingBackend(readLeniently)),
    await side("strict", recordingBackend(readStrictly)),
  ];
}

async function stop(): Promise<void> {
  for (const { app, lb, neighbour } of sides) {
    await neighbour[Symbol.asyncDispose]();
    await lb[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  }
}

beforeAll(start);
afterAll(stop);

/** The next final response. */
async function final(user: Client, toHead: boolean): Promise<Message> {
  for (;;) {
    const response = await user.response({ toHead });
    if (response.status >= 200) return response;
  }
}

async function askNeighbour({ neighbour }: Side, path: string): Promise<void> {
  expect((await neighbour.ask(get(path))).body).toBe(`GET ${path} `);
}

/** Of methods that may be sent twice: others ask for a connection of which more is known. */
const SHARES = /^(?!POST|PATCH|BREW)/;
/** A connection over which such a request went is used no more. */
const BODY_OF_GET = /^(GET|HEAD) (?:[^\r]*\r\n)+?(Content-Length|Transfer-Encoding):/im;

/** Sends a case and looks at all that the client gets, then at all that the backend has seen. */
async function run(to: Side, { bytes, forwarded, after }: SmugglingCase, parts: readonly Buffer[]): Promise<void> {
  await askNeighbour(to, "/before");
  const first = to.app.requests.length;
  await using user = await client(to.lb);
  for (const part of parts) {
    user.send(part);
    if (parts.length > 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  if (after === "open") user.send(LAST);
  const expected = [...forwarded, ...(after === "open" ? [["GET", "/last", ""] as const] : [])];
  for (const [method, target, body] of expected) {
    const response = await final(user, method === "HEAD");
    const text = method === "HEAD" ? "" : echo({ method, target, body });
    expect([response.status, response.body]).toEqual([200, text]);
  }
  if (typeof after === "number") {
    const response = await final(user, false);
    expect([response.status, response.field("connection")]).toEqual([after, "close"]);
  }
  // What has not come yet never will.
  if (after === "waits") user.raw.shutdown();
  await user.raw.untilEnd();
  expect(user.rest.replace("HTTP/1.1 100 Continue\r\n\r\n", "")).toBe("");
  await askNeighbour(to, "/after");
  const seen = to.app.requests.slice(first);
  expect(seen.map(({ method, target, body }) => [method, target, body] as const)).toEqual([
    ...expected,
    ["GET", "/after", ""],
  ]);
  for (const { forwardedFor } of seen) expect(forwardedFor).toEqual(["127.0.0.1"]);
  // None of it tells anything unless they shared a connection.
  if (after === "open" && SHARES.test(bytes) && !BODY_OF_GET.test(bytes))
    expect(new Set(to.app.requests.slice(first - 1).map(({ on }) => on)).size).toBe(1);
  expect(to.app.wrongs).toEqual([]);
}

for (const [kind, cases] of smugglingCases)
  describe(kind, () => {
    for (const each of cases)
      test(each.name, async () => {
        const whole = Buffer.from(each.bytes, "latin1");
        const ways = fc.sample(cuts(whole.length), { numRuns: CUTS, seed: whole.length });
        try {
          for (const to of sides) for (const at of [[], ...ways]) await run(to, each, pieces(whole, at));
        } catch (error) {
          // A backend that was led astray would lead the next cases astray too.
          await stop();
          await start();
          throw error;
        }
      });
  });

/** What a backend would see if a case came to it as it is. */
function alone(bytes: string): string[] {
  const targets: string[] = [];
  for (let rest = bytes; rest !== "";) {
    const reading = readLeniently(rest);
    if (!("seen" in reading)) break;
    targets.push(reading.seen.target);
    rest = rest.slice(reading.end);
  }
  return targets;
}

test("without Weir before it the forgiving backend is led astray by many of them", () => {
  const astray = smugglingCases.flatMap(([, cases]) =>
    cases.filter(({ bytes, after }) => typeof after === "number" && alone(bytes).includes("/smuggled")),
  );
  expect(astray.length).toBeGreaterThan(100);
});

test("there are cases enough, each once and with its source", () => {
  const all = smugglingCases.flatMap(([kind, cases]) => cases.map((each) => ({ kind, ...each })));
  expect(all.length).toBeGreaterThanOrEqual(200);
  expect(new Set(all.map(({ kind, name }) => `${kind}/${name}`)).size).toBe(all.length);
  expect(all.filter(({ source }) => source.length < 8)).toEqual([]);
});
