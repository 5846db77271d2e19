import type { BackendExplained, Explanation, PoolExplained } from "../engine/explanation.ts";
import type { RouteConsidered, RouteVerdict } from "../route/explain-routes.ts";

const VERDICTS: Readonly<Record<RouteVerdict, string>> = {
  chosen: "chosen: the most specific that matches",
  host: "its host does not match",
  path: "its path does not match",
  "less-specific": "matches, but less specifically",
  shadowed: "matches, but an earlier route is the same",
};

const DECIDERS: Readonly<Record<Explanation["choice"]["by"], string>> = {
  listener: "no listener takes it",
  parser: "the request is wrong",
  routes: "by the routes",
  limits: "by the limits of its route",
  cookie: "by its cookie",
  gate: "by the limits of the pool",
  policy: "by the policy",
};

/** Routes that are listed for people, beside the chosen one and those that match. */
const MOST_ROUTES = 20;
/** Backends likewise. */
const MOST_BACKENDS = 50;

/**
 * An explanation for people: plain text, without colour.
 * @param asked who was asked, for the first line
 */
export function explanationText(explained: Explanation, asked: string): string {
  const { request, listener, routes, pool, choice } = explained;
  const lines: string[] = [];
  const what = request.method === "" ? "a connection" : `${request.method} ${request.host}${request.path}`;
  lines.push(`${what} from ${request.from}${request.trusted ? ", a trusted proxy" : ""}; asked: ${asked}`);
  if (listener !== null)
    lines.push("", `listener  ${listener.name}  ${listener.address}  (${listener.mode}; ${listener.why})`);
  if (routes !== null && request.method !== "") lines.push("", "routes", ...routeLines(routes.considered, routes.left));
  if (pool !== null) lines.push("", ...poolLines(pool, choice.backend));
  lines.push("", `→ ${choiceText(explained)}`);
  return lines.join("\n");
}

function routeLines(considered: readonly RouteConsidered[], left: number): string[] {
  const told = considered.filter(
    ({ verdict }, index) => index < MOST_ROUTES || (verdict !== "host" && verdict !== "path"),
  );
  const rows = told.map(({ position, host, path, verdict }) => [
    verdict === "chosen" ? "*" : "",
    `${position + 1}`,
    `${host ?? "any host"}${path === null ? "" : ` ${path}`}`,
    VERDICTS[verdict],
  ]);
  const more = considered.length - told.length + left;
  return [...columns(rows), ...(more === 0 ? [] : [`  … and ${more} more`])];
}

function poolLines(pool: PoolExplained, chosen: string | null): string[] {
  const { key, affinity, limits } = pool;
  const lines = [`pool  ${pool.name}  ${pool.policy}${pool.panic ? "  PANIC: too few backends are healthy" : ""}`];
  if (key !== null)
    lines.push(`  key     ${key.parts.join(" + ")} → ${key.hash} (0x${key.hash.toString(16).padStart(8, "0")})`);
  if (affinity !== null)
    lines.push(
      `  cookie  ${affinity.cookie}: ${affinity.named === null ? "" : `of ${affinity.named}; `}${affinity.why}`,
    );
  if (limits !== null) lines.push(`  limits  ${limits.outcome}: ${limits.why}; ${roomText(limits)}`);
  const told = pool.backends.filter(({ backend }, index) => index < MOST_BACKENDS || backend === chosen);
  const rows = told.map((each) => backendRow(each, each.backend === chosen));
  const head = ["", "backend", "state", "weight", "in flight", "latency", "score", "odds", ""];
  lines.push("", ...columns(withoutEmpty([head, ...rows])));
  const more = pool.backends.length - told.length + pool.left;
  if (more > 0) lines.push(`  … and ${more} more`);
  if (pool.compares !== "") lines.push(`  score: ${pool.compares}`);
  return lines;
}

function roomText({ taken, most, learnt, waiting }: NonNullable<PoolExplained["limits"]>): string {
  const of = most === null ? "" : ` of ${most}`;
  return `${taken}${of} in flight in the pool${learnt === null ? "" : `, ${learnt} learnt for this worker`}, ${waiting} wait`;
}

function backendRow(each: BackendExplained, chosen: boolean): string[] {
  const { weight, effectiveWeight, inFlight, limit, latencyMs, failing, score, odds, refused } = each;
  const states = each.states.length === 0 ? "up" : each.states.join(", ");
  const notes = [
    each.why,
    refused,
    failing === null || failing === 0 ? "" : `${Math.round(failing * 100)} % of its attempts fail`,
  ];
  return [
    chosen ? "*" : "",
    each.backend,
    states,
    weight === effectiveWeight ? `${weight}` : `${weight} → ${effectiveWeight}`,
    `${inFlight}${limit === null ? "" : ` of ${limit}`}`,
    latencyMs === null ? "" : `${round(latencyMs)} ms`,
    score === null ? "" : String(round(score)),
    odds === null ? "?" : odds === 0 ? "" : `${Math.round(odds * 1000) / 10} %`,
    notes.filter((note) => note !== "").join("; "),
  ];
}

function choiceText({ choice }: Explanation): string {
  const { outcome, backend, possible, by, why, code } = choice;
  const decider = `${DECIDERS[by]}${why === "" ? "" : `: ${why}`}`;
  switch (outcome) {
    case "refused":
      return `refused${code === null ? "" : ` with ${code}`}, ${decider}`;
    case "waits":
      return `waits for ${backend ?? "a backend with room"}, ${decider}`;
    case "goes":
      return backend === null
        ? `one of ${possible.length} backends, as the odds say, ${decider}`
        : `${backend}, ${decider}`;
  }
}

/** Four digits are enough to compare. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** Leaves out columns that say nothing in any row but the first, which is the heading. */
function withoutEmpty(rows: readonly (readonly string[])[]): string[][] {
  const [head = [], ...rest] = rows;
  const kept = head.map((_, column) => column === 0 || rest.some((row) => row[column] !== ""));
  return rows.map((row) => row.filter((__, column) => kept[column]));
}

/** Cells under each other, each column as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
