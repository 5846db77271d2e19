import { WeirError } from "../../errors.ts";
import type { Seats } from "./seats.ts";

/** What one worker said to a question that all were asked. */
export type Answered = { readonly worker: number } & ({ readonly answer: unknown } | { readonly error: WeirError });

/**
 * Asks a worker one of `questions/`.
 * @throws WORKER_FAILED where it does not run or does not answer; the error of the question
 */
export async function askOne(seats: Seats, worker: number, question: string, argument: unknown): Promise<unknown> {
  const process = seats.running().get(worker);
  if (process === undefined) throw new WeirError("WORKER_FAILED", `worker ${worker} does not run`);
  return process.ask(question, argument);
}

/** Asks all workers that run, at the same time. @returns what each said, by their numbers */
export function askEach(seats: Seats, question: string, argument: unknown): Promise<readonly Answered[]> {
  return Promise.all(
    [...seats.running()].map(async ([worker, process]): Promise<Answered> => {
      try {
        return { worker, answer: await process.ask(question, argument) };
      } catch (error) {
        return { worker, error: error instanceof WeirError ? error : new WeirError("WEIR_INTERNAL", String(error)) };
      }
    }),
  );
}
