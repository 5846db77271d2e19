import { backendIdOf, type Change } from "../../config/overlay/overlay.ts";
import { appliedSchema, backendAddSchema, backendPatchSchema } from "../model-writes.ts";
import { edit } from "../edit.ts";
import { existing, findBackend } from "../find.ts";
import { json, type Resource } from "../resource.ts";
import { persistQuery } from "./pools.ts";

/** What is done to backends. */
export const BACKENDS: readonly Resource[] = [
  json({
    method: "PATCH",
    path: "/v1/pools/{pool}/backends/{backend}",
    summary: "Sets the state or the weight of a backend, or both",
    body: backendPatchSchema,
    answer: appliedSchema,
    handle: (call) => {
      const { params, body, running } = call;
      const { pool, id } = findBackend(running, params["pool"] ?? "", params["backend"] ?? "");
      const subject = { pool: pool.name, backend: id };
      const changes: Change[] = [];
      if (body.state !== undefined) changes.push({ kind: "backend-state", ...subject, state: body.state });
      if (body.weight !== undefined) changes.push({ kind: "backend-weight", ...subject, weight: body.weight });
      return edit(call, changes, body.persist);
    },
  }),
  json({
    method: "POST",
    path: "/v1/pools/{pool}/backends",
    summary: "Adds a backend to a pool, or sets the one with this address anew",
    body: backendAddSchema,
    answer: appliedSchema,
    handle: (call) => {
      const { backend, persist } = call.body;
      const pool = existing(call.running, call.params["pool"] ?? "").name;
      // One without a valid address has no identity: the checks of the whole say what is wrong with it.
      const id = backendIdOf(backend) ?? "?";
      return edit(call, [{ kind: "backend-add", pool, backend: id, value: backend }], persist);
    },
  }),
  json({
    method: "DELETE",
    path: "/v1/pools/{pool}/backends/{backend}",
    summary: "Removes a backend, which finishes what it has; one that is not there is no error",
    query: persistQuery,
    answer: appliedSchema,
    handle: (call) => {
      const { params, running } = call;
      const pool = existing(running, params["pool"] ?? "").name;
      const address = params["backend"] ?? "";
      const backend = backendIdOf({ address }) ?? address;
      return edit(call, [{ kind: "backend-remove", pool, backend }], call.query.persist);
    },
  }),
];
