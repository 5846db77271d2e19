import { formatAddress } from "../address.ts";
import { ERRORS } from "../errors.ts";
import { Head } from "../http/head.ts";
import { Origins } from "../http/origin.ts";
import type { Origin } from "../http/streams.ts";
import { parseRequestHead } from "../http1/request-parser.ts";
import type { ListenerPlan } from "../plan.ts";
import { headExcess, widest } from "../proxy/head-limits.ts";
import { explain as explainRoutes } from "../route/explain-routes.ts";
import { hostOf, pathOf } from "../route/request-key.ts";
import { RouteTable } from "../route/table.ts";
import { explainPool } from "./explain-pool.ts";
import { chooseListener, type Place, readUrl } from "./explain-question.ts";
import type { ChoiceExplained, Explanation, ListenerExplained, Question } from "./explanation.ts";
import type { LiveParts } from "./live-parts.ts";

/** The table of a listener's routes, as long as its plan is in force. */
const TABLES = new WeakMap<ListenerPlan, RouteTable<number>>();

/**
 * Explains where a request would go if it came to this worker now, and why. Each decision is asked of the code that takes it: parser,
 * route table, cookie, gate and picker. Nothing changes by it. O(routes + backends).
 * @throws CLI_USAGE where the URL is none, or no listener has the name
 */
export function explain(parts: LiveParts, question: Question): Explanation {
  const url = readUrl(question.url);
  const { listener, why } = chooseListener(parts.plan, url, question.listener);
  if (listener === null) return unheard(parts, question, url, why);
  const place = { name: listener.name, address: formatAddress(listener.address), mode: listener.mode, why };
  const origin = new Origins(parts.plan.trustedProxies, listener.via).of(connectionFrom(question.from));
  if (listener.mode === "tcp") return explainConnection(parts, listener, place, origin);
  const head = new Head();
  const bytes = Buffer.from(requestText(question, url), "latin1");
  const limits = widest(listener.routes.map((route) => route.limits));
  const outcome = parseRequestHead(head, bytes, 0, bytes.length, limits);
  if (outcome !== "complete") {
    const code = outcome === "incomplete" ? "CLIENT_BAD_HEAD" : outcome;
    const request = {
      method: question.method,
      host: url.authority,
      path: url.target,
      from: origin.address,
      trusted: false,
    };
    const choice = refused("parser", code, head.problem === "" ? ERRORS[code].meaning : head.problem);
    return { worker: parts.worker, request, listener: place, routes: null, pool: null, choice };
  }
  return explainRequest(parts, listener, place, head, origin);
}

/** The same for a request that has come. @param place what is known of its listener */
export function explainRequest(
  parts: LiveParts,
  listener: ListenerPlan,
  place: ListenerExplained,
  head: Head,
  origin: Origin,
): Explanation {
  const { worker } = parts;
  const [host, path] = [hostOf(head), pathOf(head)];
  const request = { method: head.method, host, path, from: origin.address, trusted: origin.trusted };
  const routes = explainRoutes(tableOf(listener), listener.routes, host, path);
  const base = { worker, request, listener: place, routes };
  const route = listener.routes[routes.chosen];
  if (route === undefined)
    return { ...base, pool: null, choice: refused("routes", "ROUTE_NOT_FOUND", "no route matches") };
  const excess = headExcess(head, route.limits);
  const most = route.limits.bodyBytes;
  const answer = answerOf(parts, route.pool, head, origin);
  if (excess !== null)
    return { ...base, pool: answer.pool, choice: refused("limits", excess, "by the limits of its route") };
  if (most !== null && head.framing === "length" && head.length > most)
    return {
      ...base,
      pool: answer.pool,
      choice: refused("limits", "CLIENT_BODY_TOO_LARGE", `more than ${most} bytes`),
    };
  return { ...base, ...answer };
}

function explainConnection(
  parts: LiveParts,
  listener: ListenerPlan,
  place: ListenerExplained,
  origin: Origin,
): Explanation {
  const request = { method: "", host: "", path: "", from: origin.address, trusted: false };
  const routes = explainRoutes(tableOf(listener), listener.routes, "", "");
  const pool = listener.routes[0]?.pool ?? "";
  return { worker: parts.worker, request, listener: place, routes, ...answerOf(parts, pool, null, origin) };
}

function answerOf(
  parts: LiveParts,
  pool: string,
  request: Head | null,
  origin: Origin,
): Pick<Explanation, "pool" | "choice"> {
  const live = parts.pools.get(pool);
  const position = parts.plan.pools.findIndex(({ name }) => name === pool);
  if (live === undefined || position === -1)
    return { pool: null, choice: refused("routes", "POOL_NO_BACKEND", `there is no pool ${pool}`) };
  return explainPool(parts, live, position, { request, origin });
}

function unheard({ worker }: LiveParts, { method, from }: Question, url: Place, why: string): Explanation {
  const request = { method, host: url.authority, path: url.target, from, trusted: false };
  const choice: ChoiceExplained = { outcome: "refused", backend: null, possible: [], by: "listener", why, code: null };
  return { worker, request, listener: null, routes: null, pool: null, choice };
}

function refused(by: ChoiceExplained["by"], code: ChoiceExplained["code"], why: string): ChoiceExplained {
  return { outcome: "refused", backend: null, possible: [], by, why, code };
}

function tableOf(listener: ListenerPlan): RouteTable<number> {
  const known = TABLES.get(listener);
  if (known !== undefined) return known;
  const table = new RouteTable(listener.routes.map((route, position) => [route, position] as const));
  TABLES.set(listener, table);
  return table;
}

/** As much of a connection as tells who is at its other end. */
function connectionFrom(address: string): Parameters<Origins["of"]>[0] {
  return { remoteAddress: address } as Parameters<Origins["of"]>[0];
}

function requestText({ method, headers }: Question, { authority, target }: Place): string {
  const named = headers.some(([name]) => name.toLowerCase() === "host");
  const fields = named || authority === "" ? headers : [["Host", authority] as const, ...headers];
  return `${method} ${target} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}
