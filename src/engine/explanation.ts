import type { ErrorCode } from "../errors.ts";
import type { RoutesExplained } from "../route/explain-routes.ts";

/** A request that somebody wants explained. Plain data: it comes by the admin API, or of a command. */
export interface Question {
  readonly method: string;
  /** Absolute, or a path alone; `tcp://host:port` for a connection. */
  readonly url: string;
  /** Names and values, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The client's address. */
  readonly from: string;
  /** Name of the listener; `null` for the one that the port of the URL says. */
  readonly listener: string | null;
}

/** Why a request goes where it goes: plain data, the same for people, programs and the admin API. */
export interface Explanation {
  /** Number of the worker that was asked. Turns and learnt latencies may be others elsewhere. */
  readonly worker: number;
  readonly request: RequestExplained;
  /** `null` where no listener is meant. */
  readonly listener: ListenerExplained | null;
  /** `null` before a listener is known, or where the request is refused before its route is looked for. */
  readonly routes: RoutesExplained | null;
  /** `null` where no route is found. */
  readonly pool: PoolExplained | null;
  readonly choice: ChoiceExplained;
}

/** The request as routes and policies see it. */
export interface RequestExplained {
  readonly method: string;
  /** As routes know it; empty for none. */
  readonly host: string;
  readonly path: string;
  readonly from: string;
  /** Whether its `X-Forwarded-*` fields are believed. */
  readonly trusted: boolean;
}

export interface ListenerExplained {
  readonly name: string;
  readonly address: string;
  readonly mode: "http" | "tcp";
  /** Why this one. */
  readonly why: string;
}

/** What becomes of the request. */
export interface ChoiceExplained {
  readonly outcome: "goes" | "waits" | "refused";
  /** The backend; `null` where dice or others decide which of `possible`, or there is none. */
  readonly backend: string | null;
  /** All that may be chosen, the first thousand of them. */
  readonly possible: readonly string[];
  /** Who decides. */
  readonly by: "listener" | "parser" | "routes" | "limits" | "cookie" | "gate" | "policy";
  readonly why: string;
  /** What the client is told, where the request is refused. */
  readonly code: ErrorCode | null;
}

export interface PoolExplained {
  readonly name: string;
  readonly policy: string;
  /** What the number beside each backend is, and which wins; empty where no backend takes work. */
  readonly compares: string;
  /** How the policy comes to its choice, whoever else has a say. */
  readonly why: string;
  /** `null` where the policy has no key. */
  readonly key: KeyExplained | null;
  /** `null` where no client is kept. */
  readonly affinity: AffinityExplained | null;
  /** `null` where nothing is limited. */
  readonly limits: LimitsExplained | null;
  /** Whether all backends get work, since too few are healthy. */
  readonly panic: boolean;
  /** In the order of the pool; the first thousand, and the chosen one in any case. */
  readonly backends: readonly BackendExplained[];
  /** How many there are beside those. */
  readonly left: number;
}

export interface KeyExplained {
  /** What it is made of, as in the configuration. */
  readonly parts: readonly string[];
  /** CRC-32 of those bytes. */
  readonly hash: number;
}

export interface AffinityExplained {
  readonly cookie: string;
  /** The backend that a valid cookie names. */
  readonly named: string | null;
  /** The backend that the client is kept at. */
  readonly pinned: string | null;
  readonly why: string;
}

/** Numbers are of exchanges or connections; `null` for no limit. */
export interface LimitsExplained {
  readonly outcome: "enters" | "waits" | "refused";
  readonly why: string;
  /** Over all workers. */
  readonly most: number | null;
  /** Of this worker, as learnt from latency. */
  readonly learnt: number | null;
  /** In the pool, over all workers. */
  readonly taken: number;
  /** In this worker's queues. */
  readonly waiting: number;
}

/** What may be said of a backend that is not simply up. */
export type BackendState =
  "down" | "ejected" | "drain" | "maintenance" | "slow-start" | "weight-0" | "advised-0" | "tier" | "zone";

export interface BackendExplained {
  /** Its address. */
  readonly backend: string;
  /** Nothing where it is well. */
  readonly states: readonly BackendState[];
  /** What they mean for it; empty where it is well. */
  readonly why: string;
  /** As configured. */
  readonly weight: number;
  /** As it is just now, in the same unit; 0 gets no new work. */
  readonly effectiveWeight: number;
  /** Over all workers. */
  readonly inFlight: number;
  /** Over all workers; `null` for none. */
  readonly limit: number | null;
  /** As this worker's policy expects it; `null` where it learns none. */
  readonly latencyMs: number | null;
  /** Part of its latest attempts; `null` where the policy learns none. */
  readonly failing: number | null;
  /** See `PoolExplained.compares`; `null` where the policy did not come to it. */
  readonly score: number | null;
  /** Probability that the policy chooses it next; `null` where that would take too long to work out. */
  readonly odds: number | null;
  /** Why the policy passes over it. */
  readonly refused: string;
}
