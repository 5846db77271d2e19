import { WeirError } from "../../errors.ts";
import { appliedSchema, doneSchema, emptySchema, reloadSchema, stopSchema } from "../model-writes.ts";
import { applied, refuseWhileEnding } from "../edit.ts";
import { json, type Resource } from "../resource.ts";

/** Who asks Weir to end is told that it does: the answer has left by then. */
const ANSWER_MS = 50;

/** What is done to the whole Weir. */
export const CONTROL: readonly Resource[] = [
  json({
    method: "POST",
    path: "/v1/reload",
    summary: "Reads the configuration anew, or another file, and brings it into force; or says what would change",
    body: reloadSchema,
    answer: appliedSchema,
    handle: async (call) => {
      const { file, dryRun } = call.body;
      refuseWhileEnding(call.running.phase);
      const report = await call.running.config.reload({ dryRun, ...(file === undefined ? {} : { file }) });
      const what = file === undefined ? "reload" : `reload of ${file}`;
      return applied(call, report, { what, persist: false, dryRun });
    },
  }),
  json({
    method: "POST",
    path: "/v1/stop",
    summary: "Drains and ends, or ends at once",
    body: stopSchema,
    answer: doneSchema,
    handle: ({ running, body, who }) => {
      running.note("info", "admin write", { who, what: body.now ? "stop at once" : "stop", done: true });
      setTimeout(() => running.stop(body.now), ANSWER_MS);
      return { done: body.now ? "ends at once" : "drains, then ends" };
    },
  }),
  json({
    method: "POST",
    path: "/v1/workers/{worker}/renew",
    summary: "Puts a new process in a worker's place, without a loss; the one before finishes what it has open",
    body: emptySchema,
    answer: doneSchema,
    handle: async ({ running, params, who }) => {
      refuseWhileEnding(running.phase);
      const text = params["worker"] ?? "";
      const seat = running.seats.find(({ worker }) => String(worker) === text);
      if (seat === undefined) throw new WeirError("ADMIN_NOT_FOUND", `there is no worker ${text}`);
      running.note("info", "admin write", { who, what: `worker ${text} is renewed`, done: true });
      return { done: await running.renew(seat.worker) };
    },
  }),
  json({
    method: "POST",
    path: "/v1/upgrade",
    summary: "Starts the program anew on the same sockets, then drains the old one",
    body: emptySchema,
    answer: doneSchema,
    handle: async ({ running, who }) => {
      refuseWhileEnding(running.phase);
      if (running.upgrade === null) throw new WeirError("ADMIN_REFUSED", "this Weir cannot be upgraded in place");
      running.note("info", "admin write", { who, what: "upgrade", done: true });
      return { done: await running.upgrade() };
    },
  }),
];
