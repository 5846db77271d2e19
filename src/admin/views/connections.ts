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

/**
 * Clients' connections of all processes that serve, those of the first worker first, and of a worker those of the process in its seat before
 * those of the one that is leaving. A worker that does not answer fails it.
 */
export async function connectionsView(running: Running, filter: ConnectionFilter): Promise<ConnectionsView> {
  const answers = await askAll(running, "clients", filter, listed);
  const connections = answers.flatMap(({ worker, pid, answer }) =>
    answer.connections.map((each) => ({ ...each, id: `${pid}-${each.id}`, worker })),
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

/**
 * Closes a connection by its id.
 * @returns whether it was still open
 * @throws ADMIN_NOT_FOUND where no process that serves gave this id
 */
export async function closeConnection(running: Running, id: string): Promise<boolean> {
  const [, process, number] = /^(\d{1,10})-(\d{1,15})$/.exec(id) ?? [];
  const pid = Number(process);
  const unknown = new WeirError("ADMIN_NOT_FOUND", `there is no connection "${id}"; see GET /v1/connections`);
  const serves = (): boolean => serving(running).some((each) => each.pid === pid);
  if (!serves()) throw unknown;
  const open = await running.ask(pid, "close", { id: Number(number) }).catch((error: unknown) => {
    throw serves() ? error : unknown;
  });
  if (open === null) throw unknown;
  return z.boolean().parse(open);
}

interface Serving {
  readonly worker: number;
  readonly pid: number;
  /** Takes no new work, finishes what it has open, and ends. */
  readonly leaving: boolean;
}

/** The processes that have clients. */
function serving({ seats }: Running): readonly Serving[] {
  return seats.flatMap(({ worker, pid, state, leavingPid }) => [
    ...(pid !== null && (state === "running" || state === "draining")
      ? [{ worker, pid, leaving: state === "draining" }]
      : []),
    ...(leavingPid === null ? [] : [{ worker, pid: leavingPid, leaving: true }]),
  ]);
}

async function askAll<T>(
  running: Running,
  question: string,
  argument: unknown,
  schema: z.ZodType<T>,
): Promise<readonly { readonly worker: number; readonly pid: number; readonly answer: T }[]> {
  const answers = await Promise.all(
    serving(running).map(async ({ worker, pid, leaving }) => {
      try {
        return { worker, pid, answer: schema.parse(await running.ask(pid, question, argument)) };
      } catch (error) {
        // One that has ended has nothing open; that one that was leaving has, is not always known yet.
        if (leaving || !serving(running).some((each) => each.pid === pid)) return null;
        throw error;
      }
    }),
  );
  return answers.filter((each) => each !== null);
}
