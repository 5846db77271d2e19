import type { Explained } from "../balance/explained.ts";
import type { Head } from "../http/head.ts";
import type { Origin } from "../http/streams.ts";
import type { KeyPart, PoolPlan } from "../plan.ts";
import type { PinExplained } from "../pool/affinity.ts";
import type { GateExplained } from "../pool/explain-gate.ts";
import { PeakEwma } from "../pool/peak-ewma.ts";
import type { LivePool } from "../proxy/target.ts";
import { explainStates } from "./explain-states.ts";
import type { BackendExplained, ChoiceExplained, PoolExplained } from "./explanation.ts";
import type { LiveParts } from "./live-parts.ts";

/** Backends that are told of one by one. */
const MOST_TOLD = 1000;

/** A request at a pool; without a head a TCP connection. */
export interface Asking {
  readonly request: Head | null;
  readonly origin: Origin;
}

/** What a pool makes of a request. */
export interface PoolAnswer {
  readonly pool: PoolExplained;
  readonly choice: ChoiceExplained;
}

/**
 * Asks a live pool in the order in which an exchange asks it (`proxy/attempts.ts`): key, cookie, gate, policy. Each is asked what it
 * would do, and does nothing. O(backends).
 * @param position of the pool in the plan
 */
export function explainPool(
  parts: LiveParts,
  live: LivePool,
  position: number,
  { request, origin }: Asking,
): PoolAnswer {
  const plan = parts.plan.pools[position]!;
  let key = 0;
  if (live.key !== null)
    key = request === null ? live.key.ofConnection(origin.address) : live.key.ofRequest(request, origin);
  const pin = request === null ? null : (live.affinity?.explain(request) ?? null);
  const gate = live.gate?.explain(key, pin?.pinned ?? -1) ?? null;
  const told = live.pool.explain(key);
  const choice = choiceOf(plan, pin, gate, told);
  const { words, placement } = parts;
  const backends = backendsOf(parts, live, position, told, choice.backend);
  return {
    choice,
    pool: {
      name: plan.name,
      policy: policyText(plan),
      compares: told?.compares ?? "",
      why: told?.why ?? "no backend takes work",
      key: live.key === null ? null : { parts: (plan.policy.key ?? []).map(partText), hash: key },
      affinity: pin === null ? null : affinityOf(plan, pin),
      limits: gate === null ? null : limitsOf(gate),
      panic: words.panic(placement.lines[position]!),
      backends,
      left: plan.backends.length - backends.length,
    },
  };
}

function policyText({ policy: { name, options } }: PoolPlan): string {
  const said = [options.load === "in-flight" ? "" : `load ${options.load}`];
  if (options.maxLoadFactor !== null) said.push(`maxLoadFactor ${options.maxLoadFactor}`);
  const text = said.filter((each) => each !== "").join(", ");
  return text === "" ? name : `${name} (${text})`;
}

function partText(part: KeyPart): string {
  return "name" in part ? `${part.kind}:${part.name}` : part.kind;
}

function choiceOf(
  { backends, affinity }: PoolPlan,
  pin: PinExplained | null,
  gate: GateExplained | null,
  told: Explained | null,
): ChoiceExplained {
  const nameOf = (index: number | null): string | null => (index === null ? null : (backends[index]?.id ?? null));
  const namesOf = (indexes: readonly number[]): string[] =>
    indexes.slice(0, MOST_TOLD).map((index) => backends[index]?.id ?? "");
  const nobody = { outcome: "refused", backend: null, possible: [], code: "POOL_NO_BACKEND" } as const;
  const pinned = pin?.pinned ?? -1;
  const byCookie = `the cookie ${affinity?.cookie ?? ""} keeps the client there`;
  if (gate !== null) {
    const { outcome, choice, possible, why } = gate;
    const by = pinned !== -1 && choice === pinned ? "cookie" : "gate";
    if (outcome === "refused") {
      return {
        ...nobody,
        by: "gate",
        why,
        code: gate.why === "no backend takes work" ? "POOL_NO_BACKEND" : "POOL_FULL",
      };
    }
    if (outcome === "waits") return { outcome, backend: nameOf(choice), possible: [], by, why, code: null };
    // Where the gate has room for what the policy wants, it is the policy that decides.
    const free = by === "gate" && choice === (told?.choice ?? null);
    const reason = by === "cookie" ? byCookie : free ? (told?.why ?? "") : why;
    return {
      outcome: "goes",
      backend: nameOf(choice),
      possible: namesOf(possible),
      by: free ? "policy" : by,
      why: reason,
      code: null,
    };
  }
  if (pinned !== -1)
    return {
      outcome: "goes",
      backend: nameOf(pinned),
      possible: namesOf([pinned]),
      by: "cookie",
      why: byCookie,
      code: null,
    };
  if (told === null || told.choice === -1)
    return { ...nobody, by: "policy", why: told === null ? "no backend takes work" : told.why };
  const possible = told.candidates.filter(({ odds }) => odds !== 0).map(({ index }) => index);
  return {
    outcome: "goes",
    backend: nameOf(told.choice),
    possible: namesOf(possible),
    by: "policy",
    why: told.why,
    code: null,
  };
}

function affinityOf({ backends }: PoolPlan, { cookie, named, pinned, why }: PinExplained): PoolExplained["affinity"] {
  return { cookie, named: backends[named]?.id ?? null, pinned: backends[pinned]?.id ?? null, why };
}

function limitsOf({ outcome, why, pool, waiting }: GateExplained): PoolExplained["limits"] {
  return { outcome, why, most: finite(pool.most), learnt: pool.learnt, taken: pool.taken, waiting };
}

function backendsOf(
  parts: LiveParts,
  live: LivePool,
  position: number,
  told: Explained | null,
  chosen: string | null,
): BackendExplained[] {
  const { counters, placement, clock } = parts;
  const plan = parts.plan.pools[position]!;
  const rows = placement.backends[position]!;
  const states = explainStates(parts, plan, position);
  const learnt = live.feedback instanceof PeakEwma ? live.feedback : null;
  const now = clock.now();
  const scores = new Map(told?.candidates.map((each) => [each.index, each]));
  const backends: BackendExplained[] = [];
  for (const [index, { id, weight, maxConnections, maxInFlight }] of plan.backends.entries()) {
    if (index >= MOST_TOLD && id !== chosen) continue;
    const scored = scores.get(index);
    const limits = [maxConnections, maxInFlight].filter((each) => typeof each === "number");
    const state = states(index);
    const latency = learnt === null ? 0 : learnt.latency(index, now);
    backends.push({
      backend: id,
      ...state,
      weight,
      inFlight: counters.inFlight(rows[index]!),
      limit: finite(Math.min(Number.POSITIVE_INFINITY, ...limits)),
      latencyMs: latency === 0 ? null : latency / 1000,
      failing: learnt === null ? null : learnt.failing(index, now),
      score: scored === undefined || scored.score === null ? null : finite(scored.score),
      odds: scored === undefined ? 0 : scored.odds,
      // What is out has no room either, which says nothing more.
      refused: state.effectiveWeight === 0 ? "" : (scored?.refused ?? ""),
    });
  }
  return backends;
}

/** JSON has no infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
