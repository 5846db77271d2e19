import { z } from "zod";
import { connectionsSchema } from "../model.ts";
import { doneSchema } from "../model-writes.ts";
import { json, type Resource } from "../resource.ts";
import { closeConnection, connectionsView } from "../views/connections.ts";

/** More are not listed at once: a page of them is some 100 KB. */
const MOST = 1000;

const query = z.object({
  limit: z.coerce.number().int().min(1).max(MOST).default(100).describe("most that are listed"),
  listener: z.string().optional().describe("only those of this listener"),
  client: z.string().optional().describe("only those of this address"),
  state: z.enum(["idle", "active", "tunnel"]).optional(),
});

/** Clients' connections. */
export const CONNECTIONS: readonly Resource[] = [
  json({
    method: "GET",
    path: "/v1/connections",
    summary: "Clients' connections that are open now",
    query,
    answer: connectionsSchema,
    handle: ({ running, query: filter }) => connectionsView(running, filter),
  }),
  json({
    method: "DELETE",
    path: "/v1/connections/{connection}",
    summary:
      "Closes a client's connection with all that is under way on it; one that is gone is no error while its process serves",
    answer: doneSchema,
    handle: async ({ running, params, who }) => {
      const id = params["connection"] ?? "";
      const open = await closeConnection(running, id);
      running.note("info", "admin write", { who, what: `connection ${id} is closed`, done: open });
      return { done: open ? `connection ${id} is closed` : `connection ${id} was gone already` };
    },
  }),
];
