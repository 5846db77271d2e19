import { z } from "zod";

/** What is written to the admin API, and what it answers. `persist` says whether a change survives a restart (docs/admin.md). */

const persist = z
  .boolean()
  .default(false)
  .describe("true: kept over restarts; false: until a restart, reloads leave it as it is");

/** `PATCH /v1/pools/{pool}/backends/{backend}`. At least one of `state` and `weight`. */
export const backendPatchSchema = z
  .strictObject({
    state: z.enum(["ready", "drain", "maintenance"]).optional(),
    weight: z.int().min(0).max(65_535).optional().describe("its share of the work; 0 takes no new work"),
    persist,
  })
  .refine(({ state, weight }) => state !== undefined || weight !== undefined, {
    message: "give state, weight or both",
  });
export type BackendPatch = z.input<typeof backendPatchSchema>;

/** `POST /v1/pools/{pool}/backends`. One that is there already with the same settings is no error. */
export const backendAddSchema = z.strictObject({
  backend: z
    .union([z.string(), z.record(z.string(), z.unknown())])
    .describe("as in a configuration: `10.0.0.7:8080`, `10.0.0.7:8080,weight=2` or an object with `address`"),
  persist,
});

/** `POST /v1/pools`. */
export const poolAddSchema = z.strictObject({
  name: z.string(),
  pool: z.record(z.string(), z.unknown()).describe("as under `pools.NAME` of a configuration"),
  persist,
});

/** `PUT /v1/pools/{pool}`: the whole pool anew, or a new one. */
export const poolPutSchema = poolAddSchema.omit({ name: true });

/** `POST /v1/routes`. One with the same host and path is replaced. */
export const routeAddSchema = z.strictObject({
  listener: z.string(),
  route: z.record(z.string(), z.unknown()).describe("as in `listeners.NAME.routes` of a configuration"),
  persist,
});

/** `POST /v1/reload`. */
export const reloadSchema = z.strictObject({
  file: z.string().min(1).optional().describe("another file from now on; without it the one it runs, read anew"),
  dryRun: z.boolean().default(false).describe("say what would change, and change nothing"),
});

/** `POST /v1/stop`. */
export const stopSchema = z.strictObject({
  now: z.boolean().default(false).describe("end at once instead of draining"),
});

/** `POST /v1/upgrade` and `POST /v1/workers/{worker}/renew`: nothing to say. */
export const emptySchema = z.strictObject({});

export const changeSchema = z.object({
  kind: z.enum(["added", "removed", "changed"]),
  what: z.enum(["listener", "route", "pool", "backend", "setting"]),
  name: z.string(),
  detail: z.string().describe("what of it, in words; empty where the kind says it"),
});

/** What a change did: the answer to every write but those of connections, and stop. */
export const appliedSchema = z.object({
  generation: z.int().describe("number of the plan in force now; the same where nothing changed"),
  changes: z.array(changeSchema),
  needsUpgrade: z.array(z.string()).describe("keys that differ and take effect at `weir upgrade` or a restart only"),
  tookMs: z.number(),
  dryRun: z.boolean(),
  persisted: z.boolean().describe("whether it survives a restart"),
});
export type Applied = z.infer<typeof appliedSchema>;

/** Answer to `POST /v1/stop`, `POST /v1/upgrade` and `DELETE /v1/connections/{id}`. */
export const doneSchema = z.object({ done: z.string().describe("what was begun or done, in words") });

/** A problem document (RFC 9457), `application/problem+json`: the answer wherever something was refused. Nothing has changed then. */
export const problemSchema = z.object({
  type: z.string().describe("where the code is explained"),
  title: z.string(),
  status: z.int(),
  code: z.string().describe("of docs/errors.md"),
  detail: z.string().describe("what exactly is wrong"),
  mend: z.string().describe("how to mend it"),
  problems: z
    .array(
      z.object({
        code: z.string(),
        file: z.string().nullable(),
        line: z.int().nullable(),
        column: z.int().nullable(),
        key: z.string().describe("dotted path in the configuration or the body"),
        message: z.string(),
        mend: z.string(),
      }),
    )
    .optional()
    .describe("everything that is wrong with the configuration that it would lead to, or with the body"),
});
export type ProblemDocument = z.infer<typeof problemSchema>;
