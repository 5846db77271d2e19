import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { framedRequests } from "../fixtures/body-arbitrary.ts";
import { type OtherProxy, OTHER_PROXIES } from "../fixtures/other-proxies.ts";
import { readPlainly } from "../fixtures/plain-reader.ts";
import { connectRaw } from "../fixtures/raw.ts";
import { recordingBackend, type RecordingBackend } from "../fixtures/recording-backend.ts";
import { damagedHead, headText } from "../fixtures/request-arbitrary.ts";
import { understand } from "../fixtures/understand.ts";
import { LAXER, stricterOf } from "./differences.ts";
import { smugglingCases } from "./smuggling-cases.ts";

// The same bytes to Weir's parsers and to nginx and HAProxy as they run: what a backend sees as requests must be the same,
// or the difference stands in `differences.ts` with its clause. Where Weir refuses, theirs may be more; never the reverse.

setDefaultTimeout(60_000);

const SAMPLES = 3_000;
/** Over only where there is a difference. */
const PATIENCE_MS = 10_000;
const LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

type Plain = readonly [method: string, target: string, body: string];

/** An absolute target and its path name the same thing. */
function path(target: string): string {
  const rest = target.replace(/^https?:\/\/[^/?]*/i, "");
  return rest.startsWith("/") || rest === "*" ? rest : `/${rest}`;
}

for (const { name, program, start } of OTHER_PROXIES)
  describe.skipIf(program === null)(`beside ${name}`, () => {
    let app: RecordingBackend;
    let proxy: OtherProxy;

    beforeAll(async () => {
      app = recordingBackend(readPlainly);
      proxy = await start(app.port);
    });

    afterAll(async () => {
      await proxy[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    });

    /** What the backend behind the other proxy sees. */
    async function theirs(text: string, open: boolean, expected: number): Promise<Plain[]> {
      const first = app.requests.length;
      await using connection = await connectRaw(proxy.path);
      connection.send(open ? text + LAST : text);
      // The request that closes an open connection is its own end. Else nothing more comes, which is told once the backend
      // has seen what it is to see: both may drop what waits when a client goes.
      const deadline = performance.now() + PATIENCE_MS;
      const enough = (): boolean => !open && app.requests.length - first >= expected;
      while (!connection.ended && !enough() && performance.now() < deadline)
        await new Promise<void>((resolve) => setImmediate(resolve));
      connection.shutdown();
      await connection.untilEnd();
      return app.requests.slice(first).map(({ method, target, body }) => [method, path(target), body]);
    }

    /** What stands between Weir and the other, in words; `null` where there is nothing, or it is known. */
    async function unexplained(text: string): Promise<string | null> {
      const { requests, after } = understand(text);
      // After a CONNECT that is forwarded nothing is a request any more.
      if (typeof after === "object" && after.refused.startsWith("CONNECT")) return null;
      const ours: Plain[] = requests.map(({ method, url, body }) => [method, path(url), body]);
      if (after === "open") ours.push(["GET", "/last", ""]);
      const seen = await theirs(text, after === "open", ours.length);
      if (Bun.deepEquals(ours, seen) || LAXER.some(({ other, fits }) => other === name && fits(text))) return null;
      // What comes before a refusal of ours must be the same.
      if (typeof after !== "object" || !Bun.deepEquals(ours, seen.slice(0, ours.length)))
        return `laxer: ${JSON.stringify({ text, ours, seen })}`;
      return stricterOf(after.refused)?.others.includes(name) === true ? null : `stricter: ${after.refused}`;
    }

    test("every case of the smuggling corpus is the same, or known to differ", async () => {
      const found = new Set<string | null>();
      for (const [, cases] of smugglingCases) for (const { bytes } of cases) found.add(await unexplained(bytes));
      found.delete(null);
      expect([...found]).toEqual([]);
    });

    test("property: requests with bodies are the same, or known to differ", async () => {
      const found = new Set<string | null>();
      for (const text of fc.sample(framedRequests, { numRuns: SAMPLES, seed: 9112 }))
        found.add(await unexplained(text));
      found.delete(null);
      expect([...found]).toEqual([]);
    });

    test("property: heads are the same, or known to differ", async () => {
      const found = new Set<string | null>();
      for (const text of fc.sample(fc.oneof(headText, damagedHead), { numRuns: SAMPLES, seed: 9110 }))
        found.add(await unexplained(text));
      found.delete(null);
      expect([...found]).toEqual([]);
    });
  });
