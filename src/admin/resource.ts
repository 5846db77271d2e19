import type { z } from "zod";
import type { Running } from "./running.ts";
import type { Sampler } from "./sampler.ts";

/** What every resource may use. */
export interface Admin {
  readonly running: Running;
  readonly sampler: Sampler;
}

/** A request that was let in and read. */
export interface Call<Query = unknown, Body = unknown> extends Admin {
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Who asks: an IP address, or `unix`. */
  readonly who: string;
  readonly headers: Headers;
  /** Aborted when whoever asked has gone. */
  readonly signal: AbortSignal;
}

/** What is answered: JSON by a schema, or something of its own kind. */
export type AnswerKind =
  | { readonly kind: "json"; readonly schema: z.ZodType }
  | {
      readonly kind: "stream";
      /** Events and the schemas of their data. */ readonly events: Readonly<Record<string, z.ZodType>>;
    }
  | { readonly kind: "text"; readonly type: string };

/** A method of a resource of the API: what it takes, what it answers, what it does. The OpenAPI document is made of these. */
export interface Resource {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With `{names}`. */
  readonly path: string;
  readonly summary: string;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodType | null;
  readonly answer: AnswerKind;
  readonly handle: (call: Call) => unknown;
}

type Given<Q extends z.ZodObject | undefined, B extends z.ZodType | undefined> = Call<
  Q extends z.ZodObject ? z.output<Q> : null,
  B extends z.ZodType ? z.output<B> : null
>;

/** Makes a resource that answers JSON. Its handler gets what its schemas have read. */
export function json<
  A extends z.ZodType,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(resource: {
  readonly method: Resource["method"];
  readonly path: string;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  readonly handle: (call: Given<Q, B>) => z.input<A> | Promise<z.input<A>>;
}): Resource {
  const { query, body, answer, handle, ...rest } = resource;
  return {
    ...rest,
    query: query ?? null,
    body: body ?? null,
    answer: { kind: "json", schema: answer },
    // `app.ts` has read query and body with these very schemas.
    handle: (call) => handle(call as Given<Q, B>),
  };
}
