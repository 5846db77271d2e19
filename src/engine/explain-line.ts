import type { BackendExplained, Explanation } from "./explanation.ts";

/** Of the whole line. Weir adds no more to a response than a usual client takes in all (8 KiB). */
const MOST_BYTES = 2048;
/** Of one text in it. */
const MOST_TEXT = 160;

/**
 * An explanation as the value of one field: a dictionary of RFC 8941 §3.2, so that programs can read it. Holds no value of any field of
 * the request. Backends are left out at the end where there are too many; `more` says how many.
 * @param answered the backend that has answered; `null` where none has
 */
export function explainLine(explained: Explanation, answered: string | null): Buffer {
  const { worker, listener, routes, pool, choice } = explained;
  const route = routes?.considered.find(({ position }) => position === routes.chosen);
  const members: (readonly [string, string] | null)[] = [
    ["worker", integer(worker)],
    listener === null ? null : ["listener", text(listener.name)],
    route === undefined ? null : ["route", text(`${route.host ?? "*"}${route.path ?? "/*"}`)],
    pool === null ? null : ["pool", text(pool.name)],
    pool === null ? null : ["policy", text(pool.policy)],
    pool === null || pool.key === null
      ? null
      : ["key", `${integer(pool.key.hash)};of=${text(pool.key.parts.join("+"))}`],
    pool === null || pool.affinity === null ? null : ["cookie", text(pool.affinity.why)],
    pool === null || pool.limits === null ? null : ["gate", text(pool.limits.outcome)],
    pool === null || !pool.panic ? null : ["panic", "?1"],
    ["outcome", choice.outcome],
    choice.backend === null ? null : ["backend", text(choice.backend)],
    choice.code === null ? null : ["code", text(choice.code)],
    ["by", choice.by],
    ["why", text(choice.why)],
    answered === null ? null : ["answered", text(answered)],
  ];
  const head = members.filter((member) => member !== null).map(([name, value]) => `${name}=${value}`);
  const value = pool === null ? head.join(", ") : withBackends(head.join(", "), pool.backends, pool.left);
  return Buffer.from(`weir-explain: ${value}\r\n`, "latin1");
}

function withBackends(head: string, backends: readonly BackendExplained[], left: number): string {
  const room = MOST_BYTES - "weir-explain: , backends=(), more=1000000\r\n".length - head.length;
  const told: string[] = [];
  let used = 0;
  for (const backend of backends) {
    const item = itemOf(backend);
    if (used + item.length + 1 > room) break;
    used += item.length + 1;
    told.push(item);
  }
  const more = backends.length - told.length + left;
  return `${head}, backends=(${told.join(" ")})${more === 0 ? "" : `, more=${more}`}`;
}

function itemOf({ backend, states, effectiveWeight, inFlight, score, odds, refused }: BackendExplained): string {
  const parameters = [
    `weight=${decimal(effectiveWeight) ?? "0"}`,
    `inflight=${integer(inFlight)}`,
    named("score", score),
    named("odds", odds),
    ...states.map((state) => (state === "weight-0" || state === "advised-0" ? "" : state)),
    refused === "" ? "" : `refused=${text(refused)}`,
  ];
  return [text(backend), ...parameters.filter((parameter) => parameter !== "")].join(";");
}

function named(name: string, value: number | null): string {
  const told = value === null ? null : decimal(value);
  return told === null ? "" : `${name}=${told}`;
}

/** RFC 8941 §3.3.1. */
function integer(value: number): string {
  return String(Math.trunc(value));
}

/** RFC 8941 §3.3.2: 12 digits before the point and 3 after it; `null` for what does not fit. */
function decimal(value: number): string | null {
  if (!(Math.abs(value) < 1e12)) return null;
  return String(Math.round(value * 1000) / 1000);
}

/** RFC 8941 §3.3.3: visible ASCII, quotes and backslashes escaped. */
function text(value: string): string {
  const short = value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT - 1)}~` : value;
  return `"${short.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
}
