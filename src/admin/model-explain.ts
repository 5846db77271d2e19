import { z } from "zod";
import type { Explanation } from "../engine/explanation.ts";
import { ERRORS, type ErrorCode } from "../errors.ts";

/** A request to explain, and its answer: `POST /v1/explain`. What the parts mean is told in full in `engine/explanation.ts`. */

/** Fields that a question may have: more than a usual request has. */
const MOST_FIELDS = 200;
/** Of a URL, and of all fields: more than Weir takes in a request by default. */
const MOST_TEXT = 32 * 1024;

const line = z.string().regex(/^[^\r\n\0]*$/, "one line");

export const questionSchema = z.strictObject({
  method: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/, "a method such as GET")
    .default("GET"),
  url: line.min(1).max(MOST_TEXT).describe("absolute, or a path; `tcp://address:port` for a connection"),
  headers: z
    .array(
      z.tuple([z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/, "the name of a field"), line.max(MOST_TEXT)]),
    )
    .max(MOST_FIELDS)
    .default([])
    .describe("names and values of the request's fields"),
  from: z.union([z.ipv4(), z.ipv6()]).default("127.0.0.1").describe("address of the client"),
  listener: z.string().nullable().default(null).describe("its name; null for the one on the port of the URL"),
  worker: z.int().min(0).default(0).describe("which worker is asked: latencies are its own"),
});

const CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
const odds = z.number().min(0).max(1);
const outcomes = z.enum(["enters", "waits", "refused"]);

const routesSchema = z.object({
  chosen: z.int().describe("position of the route taken, from 0; -1 for none"),
  considered: z.array(
    z.object({
      position: z.int().min(0),
      host: z.string().nullable(),
      path: z.string().nullable(),
      verdict: z
        .enum(["chosen", "host", "path", "less-specific", "shadowed"])
        .describe("`host`, `path`: that does not match; `shadowed`: an earlier route has the very same match"),
    }),
  ),
  left: z.int().min(0).describe("routes that are not listed"),
});

const backendSchema = z.object({
  backend: z.string().describe("its address"),
  states: z.array(
    z.enum(["down", "ejected", "drain", "maintenance", "slow-start", "weight-0", "advised-0", "tier", "zone"]),
  ),
  why: z.string().describe("empty where it is well"),
  weight: z.number().describe("as configured"),
  effectiveWeight: z.number().describe("as it is now; 0 gets no new work"),
  inFlight: z.number(),
  limit: z.number().nullable().describe("most in flight; null for none"),
  latencyMs: z
    .number()
    .nullable()
    .describe("until its next answer, as the worker expects it; null where it learns none"),
  failing: odds.nullable().describe("part of its latest attempts"),
  score: z.number().nullable().describe("what the policy compares, see `compares`; null where it did not come to it"),
  odds: odds.nullable().describe("how likely the policy chooses it next; null where that is not worked out"),
  refused: z.string().describe("why the policy passes over it; empty where it does not"),
});

const poolSchema = z.object({
  name: z.string(),
  policy: z.string(),
  compares: z.string().describe("what `score` is, and which one wins"),
  why: z.string().describe("how the policy comes to its choice"),
  key: z.object({ parts: z.array(z.string()), hash: z.number().describe("CRC-32") }).nullable(),
  affinity: z
    .object({ cookie: z.string(), named: z.string().nullable(), pinned: z.string().nullable(), why: z.string() })
    .nullable(),
  limits: z
    .object({
      outcome: outcomes,
      why: z.string(),
      most: z.number().nullable(),
      learnt: z.number().nullable(),
      taken: z.number(),
      waiting: z.number(),
    })
    .nullable(),
  panic: z.boolean(),
  backends: z.array(backendSchema),
  left: z.int().min(0).describe("backends that are not listed"),
});

export const explanationSchema = z.object({
  worker: z.int().min(0).describe("the worker that was asked"),
  request: z.object({
    method: z.string(),
    host: z.string(),
    path: z.string(),
    from: z.string(),
    trusted: z.boolean().describe("whether its X-Forwarded fields are believed"),
  }),
  listener: z
    .object({ name: z.string(), address: z.string(), mode: z.enum(["http", "tcp"]), why: z.string() })
    .nullable(),
  routes: routesSchema.nullable(),
  pool: poolSchema.nullable(),
  choice: z.object({
    outcome: z.enum(["goes", "waits", "refused"]),
    backend: z.string().nullable().describe("null where dice decide which of `possible`"),
    possible: z.array(z.string()),
    by: z.enum(["listener", "parser", "routes", "limits", "cookie", "gate", "policy"]),
    why: z.string(),
    code: z.enum(CODES).nullable(),
  }),
}) satisfies z.ZodType<Explanation>;
