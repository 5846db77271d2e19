import { readUrl } from "../../engine/explain-question.ts";
import { WeirError } from "../../errors.ts";
import { unknown } from "../find.ts";
import { explanationSchema, questionSchema } from "../model-explain.ts";
import { json, type Resource } from "../resource.ts";
import { withReasons } from "../views/explain.ts";

/** Why a request goes where it goes. */
export const EXPLAIN: readonly Resource[] = [
  json({
    method: "POST",
    path: "/v1/explain",
    summary: "Says where a request would go now, and why; changes nothing",
    body: questionSchema,
    answer: explanationSchema,
    handle: async ({ running, body: { worker, ...question } }) => {
      const workers = running.seats.map((seat) => String(seat.worker));
      if (!workers.includes(String(worker))) throw unknown("worker", String(worker), workers);
      try {
        readUrl(question.url);
      } catch (error) {
        throw error instanceof WeirError ? new WeirError("ADMIN_BAD_REQUEST", error.detail, error) : error;
      }
      const explained = explanationSchema.parse(await running.ask(worker, "explain", question));
      return withReasons(running, explained);
    },
  }),
];
