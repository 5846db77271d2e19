import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { atOnce } from "../../steps.ts";
import { PlanShelf } from "../parts/plan-shelf.ts";
import { answerIn, answerSheets, questionIn, questionSheets, unsayableSheets } from "./load-letters.ts";

const plan = planOf({ backends: [1, 2, 3] });
const of = { file: "weir.config.ts", files: ["/etc/weir.config.ts"] };

function sent(sheets: readonly Uint8Array[]): readonly Buffer[] {
  return sheets.map((sheet) => Buffer.from(sheet));
}

test("a question comes as it was asked, with what is known", () => {
  const question = { file: null, folder: "/etc", over: { workers: 2 }, edits: [] };
  const shelf = new PlanShelf();
  expect(questionIn(sent(questionSheets(question, atOnce(shelf.known()).digests)))).toEqual({ question, known: [] });
  atOnce(shelf.take(plan, null));
  const known = [...shelf.parts.from(1)].map(({ digest }) => digest);
  expect(questionIn(sent(questionSheets(question, atOnce(shelf.known()).digests)))).toEqual({ question, known });
  expect([questionIn(null), questionIn([])]).toEqual([null, null]);
});

test("a plan comes as it was, and without what was known", () => {
  const shelf = new PlanShelf();
  const raw = { match: /^ok/i };
  for (const round of [1, 2]) {
    const { ids } = atOnce(shelf.known());
    const digests = [...shelf.parts.from(1)].map(({ digest }) => digest);
    const answer = answerIn(sent(answerSheets({ ...of, raw, plan }, digests)));
    if (answer?.kind !== "right") throw new Error(`it is ${answer?.kind}`);
    const parts = [...answer.parts];
    expect(parts.flat().length > 0).toBe(round === 1);
    expect(atOnce(shelf.unpack(answer.manifest, parts, ids, null))).toEqual(plan);
    expect([answer.file, answer.files, answer.raw()]).toEqual([of.file, of.files, raw]);
  }
});

test("what is wrong comes with what was written, where that could be read", () => {
  const problems = [{ code: "CONFIG_SYNTAX", message: "no" }] as never;
  for (const raw of [undefined, { a: 1 }]) {
    const answer = answerIn(sent(answerSheets({ ...of, raw, problems }, [])));
    if (answer?.kind !== "wrong") throw new Error(`it is ${answer?.kind}`);
    expect([answer.problems, answer.raw()]).toEqual([problems, raw]);
  }
});

test("a function is no data", () => {
  expect(() => answerSheets({ ...of, raw: { a: () => 1 }, plan }, [])).toThrow();
  expect(answerIn(sent(unsayableSheets("a function")))).toEqual({ kind: "unsayable", reason: "a function" });
  expect(answerIn(null)).toBeNull();
  const question = { file: null, folder: "/etc", over: {}, edits: [] };
  expect(answerIn(sent(questionSheets(question, Buffer.alloc(0))))).toBeNull();
});
