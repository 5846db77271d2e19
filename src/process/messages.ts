import type { Plan } from "../plan.ts";
import { ERRORS, type ErrorCode } from "../errors.ts";
import type { Identity } from "./identity.ts";

/** What a worker has to listen on, and how. */
export type Inherited =
  | { readonly kind: "socket"; /** Open in the worker. */ readonly fd: number }
  /** The worker binds the address itself and shares it with the others. */
  | { readonly kind: "own" }
  /** Another worker listens there: a unix socket can be bound once only. */
  | { readonly kind: "none" };

/** What the supervisor says to a worker. */
export type ToWorker =
  | {
      readonly kind: "configure";
      readonly plan: Plan;
      /** Number of the worker, from 0. */
      readonly worker: number;
      readonly workers: number;
      /** File descriptor of the memory with the shared counters and the words of health. */
      readonly countersFd: number;
      /** Who the worker has to be; `null` where that is left to who starts Weir. */
      readonly identity: Identity | null;
      /** For each listener of the plan. */
      readonly listeners: readonly Inherited[];
    }
  | { readonly kind: "drain"; readonly timeoutMs: number };

/** What a worker says to the supervisor. */
export type FromWorker =
  | { readonly kind: "ready" }
  /** What it knows of a backend's health has changed; see the words of health. */
  | { readonly kind: "alarm" }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly detail: string }
  /** Nothing is open any more; the worker ends. */
  | { readonly kind: "drained"; /** Connections that had to be closed. */ readonly closed: number };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function isInherited(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return value["kind"] === "own" || value["kind"] === "none" || (value["kind"] === "socket" && isCount(value["fd"]));
}

/** Checks a message that a worker received; `null` for one that no supervisor of this version sends. */
export function toWorker(message: unknown): ToWorker | null {
  if (!isRecord(message)) return null;
  const { kind, plan, worker, workers, countersFd, identity, listeners, timeoutMs } = message;
  switch (kind) {
    case "configure":
      // The plan was validated by the supervisor, which runs the same code.
      if (!isRecord(plan) || !Array.isArray(plan["listeners"]) || !Array.isArray(plan["pools"])) return null;
      if (!isCount(worker) || !isCount(workers) || !isCount(countersFd)) return null;
      if (identity !== null && !(isRecord(identity) && isCount(identity["uid"]) && isCount(identity["gid"])))
        return null;
      if (!Array.isArray(listeners) || !listeners.every(isInherited)) return null;
      return message as ToWorker;
    case "drain":
      return isCount(timeoutMs) ? { kind, timeoutMs } : null;
    default:
      return null;
  }
}

/** Checks a message that the supervisor received; `null` for one that no worker of this version sends. */
export function fromWorker(message: unknown): FromWorker | null {
  if (!isRecord(message)) return null;
  const { kind, code, detail, closed } = message;
  switch (kind) {
    case "ready":
    case "alarm":
      return { kind };
    case "failed":
      if (typeof code !== "string" || !Object.hasOwn(ERRORS, code) || typeof detail !== "string") return null;
      return { kind, code: code as ErrorCode, detail };
    case "drained":
      return isCount(closed) ? { kind, closed } : null;
    default:
      return null;
  }
}
