import { z } from "zod";
import { type Change, routeKeyOf } from "../../config/overlay/overlay.ts";
import { backendSchema, poolSchema } from "../model.ts";
import { appliedSchema, poolAddSchema, poolPutSchema, routeAddSchema } from "../model-writes.ts";
import { json, type Resource } from "../resource.ts";
import { edit } from "../edit.ts";
import { existing, findBackend, unknown } from "../find.ts";
import { poolViews, poolView } from "../views/pools.ts";
import { routeViews } from "../views/routes.ts";

/** `persist` where there is no body. */
export const persistQuery = z.object({
  persist: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true")
    .describe("whether it survives a restart"),
});

/** Pools and routes: what goes where. */
export const POOLS: readonly Resource[] = [
  json({
    method: "GET",
    path: "/v1/pools",
    summary: "All pools with their backends",
    answer: z.object({ pools: z.array(poolSchema) }),
    handle: ({ running, sampler }) => ({ pools: poolViews(running, sampler) }),
  }),
  json({
    method: "GET",
    path: "/v1/pools/{pool}",
    summary: "A pool with its backends",
    answer: poolSchema,
    handle: ({ running, sampler, params }) => poolView(running, sampler, existing(running, params["pool"] ?? "").name)!,
  }),
  json({
    method: "GET",
    path: "/v1/pools/{pool}/backends/{backend}",
    summary: "A backend of a pool, by its address",
    answer: backendSchema,
    handle: ({ running, sampler, params }) => {
      const { pool, index } = findBackend(running, params["pool"] ?? "", params["backend"] ?? "");
      return poolView(running, sampler, pool.name)!.backends[index]!;
    },
  }),
  json({
    method: "POST",
    path: "/v1/pools",
    summary: "Adds a pool, or sets the one of this name anew",
    body: poolAddSchema,
    answer: appliedSchema,
    handle: (call) => {
      const { name, pool, persist } = call.body;
      return edit(call, [{ kind: "pool-put", pool: name, value: pool }], persist);
    },
  }),
  json({
    method: "PUT",
    path: "/v1/pools/{pool}",
    summary: "Sets a pool as a whole, or adds it",
    body: poolPutSchema,
    answer: appliedSchema,
    handle: (call) => {
      const { pool, persist } = call.body;
      return edit(call, [{ kind: "pool-put", pool: call.params["pool"] ?? "", value: pool }], persist);
    },
  }),
  json({
    method: "DELETE",
    path: "/v1/pools/{pool}",
    summary: "Removes a pool that no route leads to; one that is not there is no error",
    query: persistQuery,
    answer: appliedSchema,
    handle: (call) => {
      const pool = call.params["pool"] ?? "";
      const changes: Change[] = [{ kind: "pool-remove", pool }];
      return edit(call, changes, call.query.persist);
    },
  }),
  json({
    method: "POST",
    path: "/v1/routes",
    summary: "Adds a route to a listener, or sets the one with this host and path anew",
    body: routeAddSchema,
    answer: appliedSchema,
    handle: (call) => {
      const { listener, route, persist } = call.body;
      const names = call.running.plan.listeners.map(({ name }) => name);
      if (!names.includes(listener)) throw unknown("listener", listener, names);
      // One whose host or path is wrong has no key: the checks of the whole say so.
      const key = routeKeyOf(route) ?? JSON.stringify(route);
      return edit(call, [{ kind: "route-put", listener, route: key, value: route }], persist);
    },
  }),
  json({
    method: "DELETE",
    path: "/v1/routes/{route}",
    summary: "Removes a route by its id, `listener:host/path`; one that is not there is no error",
    query: persistQuery,
    answer: appliedSchema,
    handle: (call) => {
      const id = call.params["route"] ?? "";
      const at = id.indexOf(":");
      const listener = id.slice(0, Math.max(0, at));
      if (!call.running.plan.listeners.some(({ name }) => name === listener)) {
        const ids = routeViews(call.running).map((route) => route.id);
        throw unknown("route", id, ids);
      }
      return edit(call, [{ kind: "route-remove", listener, route: id.slice(at + 1) }], call.query.persist);
    },
  }),
];
