import { explain as explainQuestion } from "../../../engine/explain.ts";
import type { Question as Asked } from "../../../engine/explanation.ts";
import type { Question } from "./question.ts";

/** Where a request would go, and why; see `engine/explanation.ts`. */
export const explain: Question = {
  name: "explain",
  answer: (engine, argument) => explainQuestion(engine.live, questionOf(argument)),
};

function questionOf(argument: unknown): Asked {
  const { method, url, headers, from, listener } = argument as Partial<Record<keyof Asked, unknown>>;
  if (typeof method !== "string" || typeof url !== "string" || typeof from !== "string" || !Array.isArray(headers))
    throw new TypeError("a question has a method, a url, headers and a from");
  return {
    method,
    url,
    from,
    headers: headers.map((each: unknown) => (Array.isArray(each) ? [String(each[0]), String(each[1])] : ["", ""])),
    listener: typeof listener === "string" ? listener : null,
  };
}
