import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { METHODS } from "node:http";
import fc from "fast-check";
import { framedRequest } from "../fixtures/body-arbitrary.ts";
import { readMessage } from "../fixtures/message.ts";
import { connectRaw } from "../fixtures/raw.ts";
import { damagedHead, headText } from "../fixtures/request-arbitrary.ts";
import { type Understood, understand, understandFirst } from "../fixtures/understand.ts";
import { LAXER, stricterOf } from "./differences.ts";
import { CASES } from "./heads.ts";

// Weir's parser beside Node's, llhttp, which most of the servers behind Weir use: whatever Weir takes, it must take too,
// and in the same way, else a request could be one thing here and another there. The other way round Weir may be
// stricter; `heads.ts` and `differences.ts` say where it is, and by which clause.

setDefaultTimeout(60_000);

type Answer = Understood | "refused";

/** What Weir makes of the first request. */
function weir(text: string): Answer {
  // What is not complete is refused by both once no more can come.
  return understand(text).requests[0] ?? "refused";
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
    for (const text of fc.sample(fc.oneof(headText, damagedHead), { numRuns: 2000, seed: 9112 })) {
      const ours = weir(text);
      if (ours === "refused" || !METHODS.includes(ours.method)) continue;
      taken += 1;
      const theirs = await llhttp(text);
      if (!Bun.deepEquals(ours, theirs)) expect({ text, theirs }).toEqual({ text, theirs: ours });
    }
    expect(taken).toBeGreaterThan(200);
  });

  test("property: bodies that Weir takes, llhttp takes as the same; what it refuses alone is known", async () => {
    const differs: unknown[] = [];
    const unknown = new Set<string>();
    let taken = 0;
    for (const text of fc.sample(framedRequest, { numRuns: 2000, seed: 9112 })) {
      const ours = understandFirst(text);
      if (ours !== null) {
        taken += 1;
        // What stands behind it is another request, right or wrong.
        const theirs = await llhttp(ours.text);
        const known = LAXER.some(({ other, fits }) => other === "llhttp" && fits(ours.text));
        if (!known && !Bun.deepEquals(ours.first, theirs)) differs.push({ ...ours, theirs });
        continue;
      }
      const { after } = understand(text);
      if ((await llhttp(text)) === "refused") continue;
      const why = typeof after === "object" ? after.refused : after;
      if (stricterOf(why)?.others.includes("llhttp") !== true) unknown.add(why);
    }
    expect(differs.map((each) => JSON.stringify(each))).toEqual([]);
    expect([...unknown]).toEqual([]);
    expect(taken).toBeGreaterThan(600);
  });
});
