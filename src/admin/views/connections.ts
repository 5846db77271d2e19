import { z } from "zod";
import { WeirError } from "../../errors.ts";
import { type ConnectionsView, connectionSchema } from "../model.ts";
import type { Running } from "../running.ts";

/** Which connections are asked for. */
export interface ConnectionFilter {
  /** Most that are listed. */
  readonly limit: number;
  readonly listener?: string | undefined;
  /** The client's address without its port. */
  readonly client?: string | undefined;
  readonly state?: "idle" | "active" | "tunnel" | undefined;
}

/** What a worker answers to the question `clients`; see `process/worker/questions/clients.ts`. */
const listed = z.object({
  connections: z.array(connectionSchema.omit({ worker: true, id: true }).extend({ id: z.int() })),
  total: z.int(),
});
const counted = z.record(z.string(), z.int());

/** Clients' connections of all workers, those of the first worker first. A worker that does not answer fails it. */
export async function connectionsView(running: Running, filter: ConnectionFilter): Promise<ConnectionsView> {
  const answers = await askAll(running, "clients", filter, listed);
  const connections = answers.flatMap(({ worker, answer }) =>
    answer.connections.map((each) => ({ ...each, id: `${worker}-${each.id}`, worker })),
  );
  const total = answers.reduce((sum, { answer }) => sum + answer.total, 0);
  return { connections: connections.slice(0, filter.limit), total, truncated: total > filter.limit };
}

/** How many clients' connections are open, by the listener's name. */
export async function openConnections(running: Running): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>();
  for (const { answer } of await askAll(running, "open", null, counted))
    for (const [listener, count] of Object.entries(answer)) open.set(listener, (open.get(listener) ?? 0) + count);
  return open;
}

/** Closes a connection by its id. @returns whether it was still open */
export async function closeConnection(running: Running, id: string): Promise<boolean> {
  const [, worker, number] = /^(\d{1,4})-(\d{1,15})$/.exec(id) ?? [];
  if (worker === undefined || !running.seats.some((seat) => seat.worker === Number(worker)))
    throw new WeirError("ADMIN_NOT_FOUND", `there is no connection "${id}"; see GET /v1/connections`);
  return z.boolean().parse(await running.ask(Number(worker), "close", { id: Number(number) }));
}

async function askAll<T>(
  running: Running,
  question: string,
  argument: unknown,
  schema: z.ZodType<T>,
): Promise<{ readonly worker: number; readonly answer: T }[]> {
  const living = running.seats.filter(({ state }) => state === "running" || state === "draining");
  const answers = await Promise.all(
    living.map(async ({ worker, state }) => {
      try {
        return { worker, answer: schema.parse(await running.ask(worker, question, argument)) };
      } catch (error) {
        // One that drains may have ended, and has nothing open then.
        if (state === "draining") return null;
        throw error;
      }
    }),
  );
  return answers.filter((each) => each !== null);
}
