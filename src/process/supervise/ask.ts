import { WeirError } from "../../errors.ts";
import type { Seats } from "./seats.ts";

/** What one worker said to a question that all were asked. */
export type Answered = { readonly worker: number } & ({ readonly answer: unknown } | { readonly error: WeirError });

/**
 * Asks a process that serves clients one of `questions/`, by its process id.
 * @throws WORKER_FAILED where it does not serve or does not answer; the error of the question
 */
export async function askOne(seats: Seats, pid: number, question: string, argument: unknown): Promise<unknown> {
  const process = seats.serving().find(([, each]) => each.pid === pid)?.[1];
  if (process === undefined) throw new WeirError("WORKER_FAILED", `no process ${pid} serves clients`);
  return process.ask(question, argument);
}

/** Asks all processes that serve clients, those too that are leaving, at the same time. @returns what each said, by their workers' numbers */
export function askEach(seats: Seats, question: string, argument: unknown): Promise<readonly Answered[]> {
  return Promise.all(
    seats.serving().map(async ([worker, process]): Promise<Answered> => {
      try {
        return { worker, answer: await process.ask(question, argument) };
      } catch (error) {
        return { worker, error: error instanceof WeirError ? error : new WeirError("WEIR_INTERNAL", String(error)) };
      }
    }),
  );
}
