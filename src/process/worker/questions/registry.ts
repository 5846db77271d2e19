import { clients, close, open } from "./clients.ts";
import { connections } from "./connections.ts";
import { explain } from "./explain.ts";
import type { Question } from "./question.ts";
import { reopenLogs } from "./reopen-logs.ts";

/** All that a worker can be asked, by name. */
export const QUESTIONS: ReadonlyMap<string, Question> = new Map(
  [clients, close, open, connections, explain, reopenLogs].map((each) => [each.name, each]),
);
