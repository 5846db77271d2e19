import type { Question } from "./question.ts";

/** How many connections a worker has open: `{ clients, backends }`. */
export const connections: Question = { name: "connections", answer: (engine) => engine.connections() };
