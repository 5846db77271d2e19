import { z } from "zod";
import { VERSION } from "../../version.ts";
import { configViewSchema, listenerSchema, routeSchema, statusSchema } from "../model.ts";
import { json, type Resource } from "../resource.ts";
import { configView } from "../views/config.ts";
import { listenerViews } from "../views/listeners.ts";
import { openConnections } from "../views/connections.ts";
import { routeViews } from "../views/routes.ts";
import { statusView } from "../views/status.ts";

/** What this Weir is and what it runs. */
export const STATUS: readonly Resource[] = [
  json({
    method: "GET",
    path: "/v1/status",
    summary: "How it stands with this Weir",
    answer: statusSchema,
    handle: ({ running, sampler }) => statusView(running, sampler, VERSION),
  }),
  json({
    method: "GET",
    path: "/v1/config",
    summary: "The configuration in force, run-time edits included, without secrets",
    answer: configViewSchema,
    handle: ({ running }) => configView(running),
  }),
  json({
    method: "GET",
    path: "/v1/listeners",
    summary: "All listeners",
    answer: z.object({ listeners: z.array(listenerSchema) }),
    handle: async ({ running, sampler }) => ({
      listeners: listenerViews(running, sampler, await openConnections(running)),
    }),
  }),
  json({
    method: "GET",
    path: "/v1/routes",
    summary: "All routes of all listeners",
    answer: z.object({ routes: z.array(routeSchema) }),
    handle: ({ running }) => ({ routes: routeViews(running) }),
  }),
];
