import { Hono } from "hono";
import { ERRORS, WeirError } from "../errors.ts";
import { readAs, readJson } from "./body.ts";
import { type Guard, TooManyTries } from "./guard.ts";
import { openapi } from "./openapi.ts";
import { problemResponse } from "./problem.ts";
import type { Admin, Call, Resource } from "./resource.ts";

/** What the API is made of. */
export interface AppParts extends Admin {
  readonly guard: Guard;
  readonly resources: readonly Resource[];
  /** What needs no token, since it says nothing, by path: whether Weir lives, and the files of the dashboard. */
  readonly open: (path: string, known?: string | null) => Response | Promise<Response> | null;
  /** `/metrics`, without the families that are named. */
  readonly metrics: (exclude: readonly string[]) => Promise<Response>;
}

/** Who sent a request, beside the request itself. */
interface Bindings {
  readonly who: string;
}

/** The admin API as a function from requests to answers. It listens nowhere by itself. */
export function createApp(parts: AppParts): (request: Request, who: string) => Promise<Response> {
  const { guard, resources, running } = parts;
  const app = new Hono<{ Bindings: Bindings }>({ getPath: rawPath });
  app.use(async (context, next) => {
    const { method } = context.req;
    const free =
      method === "GET" || method === "HEAD"
        ? parts.open(context.req.path, context.req.header("if-none-match") ?? null)
        : null;
    guard.admit(context.req.raw, context.env.who, free !== null);
    if (free !== null) return safe(await free);
    await next();
    context.res = safe(context.res);
    return undefined;
  });
  for (const resource of resources) {
    app.on(resource.method, resource.path.replaceAll(/\{(\w+)\}/g, ":$1"), async (context) => {
      const call: Call = {
        running,
        sampler: parts.sampler,
        params: context.req.param(),
        query: resource.query === null ? null : readAs(resource.query, context.req.query(), "query"),
        body: resource.body === null ? null : readAs(resource.body, await readJson(context.req.raw), "body"),
        who: context.env.who,
        headers: context.req.raw.headers,
        signal: context.req.raw.signal,
      };
      const answer = await resource.handle(call);
      return answer instanceof Response ? answer : jsonResponse(answer);
    });
  }
  const document = openapi(resources);
  app.get("/v1/openapi.json", () => jsonResponse(document));
  app.get("/metrics", ({ req }) => parts.metrics(req.queries("exclude[]") ?? []));
  const paths = pathsOf(resources);
  app.notFound(({ req }) => {
    const allowed = paths.filter(({ pattern }) => pattern.test(req.path)).map(({ method }) => method);
    const wrong =
      allowed.length === 0
        ? new WeirError("ADMIN_NOT_FOUND", `there is no ${req.path}; see /v1/openapi.json`)
        : new WeirError("ADMIN_METHOD", `${req.path} has no ${req.method}`);
    return problemResponse(wrong, allowed.length === 0 ? {} : { allow: allowed.join(", ") });
  });
  app.onError((error) => {
    if (error instanceof TooManyTries) return safe(problemResponse(error, { "retry-after": String(error.seconds) }));
    if (error instanceof WeirError)
      return safe(problemResponse(error, error.code === "ADMIN_UNAUTHORIZED" ? { "www-authenticate": "Bearer" } : {}));
    running.note("warn", "admin failed", { code: "WEIR_INTERNAL", reason: String(error.stack ?? error) });
    return safe(problemResponse(new WeirError("WEIR_INTERNAL", ERRORS.WEIR_INTERNAL.meaning)));
  });
  return async (request, who) => app.fetch(request, { who });
}

function jsonResponse(value: unknown): Response {
  return new Response(`${JSON.stringify(value)}\n`, { headers: { "content-type": "application/json" } });
}

/** Nothing is kept by anybody between, guessed to be something else, or shown within another site's page. */
function safe(response: Response): Response {
  const { headers } = response;
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("cross-origin-resource-policy", "same-origin");
  headers.set("x-frame-options", "DENY");
  return response;
}

/** The path as it was sent: a backend's address may hold `%2F`, which is no slash of the path. */
function rawPath({ url }: Request): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}

function pathsOf(resources: readonly Resource[]): { readonly pattern: RegExp; readonly method: string }[] {
  return resources.map(({ path, method }) => ({
    pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    method,
  }));
}
