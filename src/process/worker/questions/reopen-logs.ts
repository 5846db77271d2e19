import type { Question } from "./question.ts";

/** Goes on with access logs in new files, after SIGUSR1. */
export const reopenLogs: Question = {
  name: "reopen-logs",
  answer: (engine) => {
    engine.reopenLogs();
    return null;
  },
};
