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
      const seat = running.seats.find((each) => each.worker === worker);
      if (seat === undefined) throw unknown("worker", String(worker), workers);
      const { listener } = question;
      const listeners = running.plan.listeners.map(({ name }) => name);
      if (listener !== null && !listeners.includes(listener)) throw unknown("listener", listener, listeners);
      try {
        readUrl(question.url);
      } catch (error) {
        throw error instanceof WeirError ? new WeirError("ADMIN_BAD_REQUEST", error.detail, error) : error;
      }
      if (seat.pid === null) throw new WeirError("ADMIN_UNAVAILABLE", `worker ${worker} does not run`);
      const explained = explanationSchema.parse(await running.ask(seat.pid, "explain", question));
      return withReasons(running, explained);
    },
  }),
];
