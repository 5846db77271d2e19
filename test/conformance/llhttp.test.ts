import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { METHODS } from "node:http";
import fc from "fast-check";
import { Head } from "../../src/http/head.ts";
import { BodyReader } from "../../src/http1/body-reader.ts";
import { parseRequestHead } from "../../src/http1/request-parser.ts";
import { readMessage } from "../fixtures/message.ts";
import { connectRaw } from "../fixtures/raw.ts";
import { damagedHead, headText } from "../fixtures/request-arbitrary.ts";
import { CASES } from "./heads.ts";

// Weir's parser beside Node's, llhttp, which most of the servers behind Weir use: whatever Weir takes, it must take too,
// and in the same way, else a request could be one thing here and another there. The other way round Weir may be
// stricter; `heads.ts` says where it is, and by which clause.

setDefaultTimeout(60_000);

const LIMITS = { headBytes: 32 * 1024, fields: 128, targetBytes: 8192 };
const BLAME = { bad: "CLIENT_BAD_BODY", framing: "CLIENT_BAD_BODY", tooLarge: "CLIENT_HEAD_TOO_LARGE" } as const;

/** What a parser made of a request; a word where it refused it. */
interface Understood {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly trailers: number;
}
type Answer = Understood | "refused";

function weir(text: string): Answer {
  const bytes = Buffer.from(text, "latin1");
  const head = new Head();
  const outcome = parseRequestHead(head, bytes, 0, bytes.length, LIMITS);
  if (outcome !== "complete") return "refused";
  const reader = new BodyReader();
  reader.begin(head.framing, head.length);
  let body = "";
  const sink = {
    body: (from: Buffer, start: number, end: number) => void (body += from.toString("latin1", start, end)),
  };
  reader.feed(bytes, head.end, bytes.length, LIMITS, BLAME, sink);
  // What is not complete is refused by both once no more can come.
  if (reader.problem !== "" || !reader.done) return "refused";
  // The target as it was sent, from behind the method to the version.
  const url = head.text(head.methodEnd + 1, bytes.indexOf(" HTTP/", head.methodEnd));
  return { method: head.method, url, body, trailers: reader.trailers?.count ?? 0 };
}

const node = Bun.which("node");

describe.skipIf(node === null)("beside llhttp", () => {
  let oracle: Bun.Subprocess<"pipe", "pipe", "inherit">;
  let port = 0;

  beforeAll(async () => {
    oracle = Bun.spawn([node ?? "", `${import.meta.dir}/llhttp-oracle.mjs`], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    for await (const line of oracle.stdout) {
      port = Number(new TextDecoder().decode(line).trim());
      break;
    }
  });

  afterAll(async () => {
    await oracle.stdin.end();
    await oracle.exited;
  });

  async function llhttp(text: string): Promise<Answer> {
    await using connection = await connectRaw(port);
    connection.send(text);
    // A request that is not complete gets no answer: the end tells the server that no more will come.
    connection.shutdown();
    await connection.untilEnd();
    const response = readMessage(connection.text, { toHead: true });
    const answer = response?.field("x-answer") ?? null;
    return answer === null ? "refused" : (JSON.parse(decodeURIComponent(answer)) as Understood);
  }

  for (const { name, text, stricter, laxer } of CASES)
    test(`${name}${stricter === undefined ? "" : ` (stricter: ${stricter})`}${laxer === undefined ? "" : ` (laxer: ${laxer})`}`, async () => {
      const [ours, theirs] = [weir(text), await llhttp(text)];
      if (stricter !== undefined) expect(ours).toBe("refused");
      else if (laxer !== undefined) expect(typeof ours).toBe("object");
      else expect(ours).toEqual(theirs);
    });

  test("property: what Weir takes, llhttp takes, and in the same way", async () => {
    let taken = 0;
    // The same requests at each run: what llhttp makes of others is for the table to say.
    for (const text of fc.sample(fc.oneof(headText, damagedHead), { numRuns: 1000, seed: 9112 })) {
      const ours = weir(text);
      if (ours === "refused" || !METHODS.includes(ours.method)) continue;
      taken += 1;
      const theirs = await llhttp(text);
      if (!Bun.deepEquals(ours, theirs)) expect({ text, theirs }).toEqual({ text, theirs: ours });
    }
    expect(taken).toBeGreaterThan(100);
  });
});
