/** Statuses from the first to the last, both among them. */
export type StatusRange = readonly [first: number, last: number];

/** A set of statuses: a few ranges. */
export type StatusSet = readonly StatusRange[];

/** When a backend is probed, and how many answers it takes to believe them. All times in milliseconds. */
export interface ProbeTiming {
  /** Where it is probed; `null` for the port of the traffic. Has no meaning for a unix socket. */
  readonly port: number | null;
  /** From the end of a probe to the next one, give or take a tenth. */
  readonly intervalMs: number;
  /** The same while a state is changing; at most `intervalMs`. */
  readonly changingMs: number;
  /** Until a probe counts as failed, connecting and all. */
  readonly timeoutMs: number;
  /** Passed in a row until a backend that was down is up. */
  readonly rise: number;
  /** Failed in a row until a backend that was up is down. */
  readonly fall: number;
  /** What it is held to be until its first probe, which settles it either way. */
  readonly start: "up" | "down";
}

/** A probe that connects, and closes. */
export interface TcpProbePlan extends ProbeTiming {
  readonly type: "tcp";
}

/** What an answer's body must hold: a text, or what a regular expression matches. Plain data, as all of a plan. */
export type ExpectedBody =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "pattern"; readonly source: string; readonly flags: string };

/** A probe that asks and looks at the answer. */
export interface HttpProbePlan extends ProbeTiming {
  readonly type: "http";
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** `Host` of the request; `null` for the backend's address. */
  readonly host: string | null;
  /** More fields of the request. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Statuses that pass. */
  readonly status: StatusSet;
  /** `null` where the body does not matter; it is then not read. */
  readonly body: ExpectedBody | null;
}

export type ProbePlan = TcpProbePlan | HttpProbePlan;

/** When a backend's success rate is too far below that of its pool. */
export interface SuccessRatePlan {
  /** How many standard deviations below the mean. */
  readonly deviations: number;
  /** And at least so far below it, from 0 to 1: where hardly anything fails the deviation is next to nothing. */
  readonly margin: number;
  /** Backends with enough requests that it takes for a comparison. */
  readonly backends: number;
  /** Requests of a backend in a window that are enough. */
  readonly requests: number;
  readonly windowMs: number;
}

/** When the traffic itself tells that a backend fails. */
export interface PassivePlan {
  /** Failures in a row that eject; `null` where they do not. */
  readonly failures: number | null;
  /** Statuses that count as failures in a row, beside those of the connection. */
  readonly statuses: StatusSet;
  readonly successRate: SuccessRatePlan | null;
  /** How long the first ejection lasts; the n-th in a row lasts n times as long. */
  readonly ejectMs: number;
  /** And no longer than this. */
  readonly maxEjectMs: number;
  /** The most of a pool that is ejected at a time, from 0 to 1. */
  readonly maxEjected: number;
}

/** What a pool does about the health of its backends. */
export interface HealthPlan {
  /** `null` where nobody asks. */
  readonly probe: ProbePlan | null;
  /** `null` where the traffic tells nothing. */
  readonly passive: PassivePlan | null;
  /** With less than this part of the backends healthy, from 0 to 1, all of them get work. 0 never. */
  readonly panicBelow: number;
  /** How long a backend that comes back or joins gets less than its share; 0 for never. */
  readonly slowStartMs: number;
  /** How long a backend that drains keeps the clients that are pinned to it; 0 where none are, or not at all. */
  readonly pinnedMs: number;
}

/** What an operator, or the backend itself, wants of it: `drain` takes no new work, and `maintenance` none at all. */
export type AdminState = "ready" | "drain" | "maintenance";

/** What a plan says of a backend, as far as its health goes. */
export interface BackendFacts {
  /** Its address in canonical text. */
  readonly id: string;
  /** Whole number from 0 to 65535; 0 takes no new work. */
  readonly weight: number;
  readonly state: AdminState;
  /** 0 is asked first; the next one takes what the former cannot. */
  readonly tier: number;
  /** Where it stands; `null` where that is not told. */
  readonly zone: string | null;
}

/** Timing of a probe that sets none. */
export const DEFAULT_TIMING: ProbeTiming = {
  port: null,
  intervalMs: 5000,
  changingMs: 1000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
  start: "up",
};

/** What `health: "tcp"` means. */
export const DEFAULT_TCP_PROBE: TcpProbePlan = { ...DEFAULT_TIMING, type: "tcp" };

/** What `health: "/"` means; another path takes the place of `path`. */
export const DEFAULT_HTTP_PROBE: HttpProbePlan = {
  ...DEFAULT_TIMING,
  type: "http",
  method: "GET",
  path: "/",
  host: null,
  headers: [],
  status: [[200, 399]],
  body: null,
};

/** Thresholds of a pool that sets none: Envoy's, but for half of a pool instead of a tenth, 10 s instead of 30, and the margin. */
export const DEFAULT_PASSIVE: PassivePlan = {
  failures: 5,
  statuses: [],
  successRate: { deviations: 1.9, margin: 0.05, backends: 5, requests: 100, windowMs: 10_000 },
  ejectMs: 10_000,
  maxEjectMs: 300_000,
  maxEjected: 0.5,
};

/** The health of a pool that says nothing about it. */
export const DEFAULT_HEALTH: HealthPlan = {
  probe: null,
  passive: DEFAULT_PASSIVE,
  panicBelow: 0.5,
  slowStartMs: 30_000,
  pinnedMs: 0,
};
