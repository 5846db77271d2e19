import type { Placement } from "../engine/placement.ts";
import { ERRORS, type ErrorCode } from "../errors.ts";
import type { LogFields } from "../observe/log.ts";
import type { Level } from "./events.ts";
import type { Identity } from "./identity.ts";
import type { Listed, Manifest, PartContent, PartId } from "./parts/manifest.ts";
import type { OrBefore } from "./parts/same-as-before.ts";

/** What a worker has to listen on, and how. */
export type Inherited =
  | { readonly kind: "socket"; /** Open in the worker. */ readonly fd: number }
  /** The worker binds the address itself and shares it with the others. */
  | { readonly kind: "own" }
  /** Another worker listens there: a unix socket can be bound once only. */
  | { readonly kind: "none" };

/** What a worker has to listen on from a reload on: `sent` is the next descriptor of its channel. */
export type Sent = { readonly kind: "sent" } | Exclude<Inherited, { readonly kind: "socket" }>;

/** The next plan for a worker that has its parts, and has a plan in force. */
export interface NextPlannedParts {
  readonly manifest: Omit<Manifest, "listeners" | "pools"> & {
    readonly listeners: readonly OrBefore<Listed>[];
    readonly pools: readonly OrBefore<Listed>[];
  };
  readonly placement: Omit<Placement, "backends"> & { readonly backends: readonly OrBefore<readonly number[]>[] };
}

/** A plan for a worker that has its parts. */
export interface PlannedParts {
  readonly manifest: Manifest;
  readonly placement: Placement;
}

/** What the supervisor says to a worker. What has an `id` is answered with it. */
export type ToWorker =
  /** Parts of plans, each after those that it refers to. */
  | { readonly kind: "parts"; readonly id: number; readonly parts: readonly (readonly [PartId, PartContent])[] }
  | ({
      readonly kind: "configure";
      /** Number of the worker, from 0. */
      readonly worker: number;
      /** Of the counters: where it writes, and nobody else while it lives. */
      readonly section: number;
      /** Among how many workers limits are divided. */
      readonly workers: number;
      /** File descriptor of the memory with the shared counters and the words of health. */
      readonly countersFd: number;
      /** File descriptor through which further listening sockets come; `null` where the system has none. */
      readonly channelFd: number | null;
      /** Who the worker has to be; `null` where that is left to who starts Weir. */
      readonly identity: Identity | null;
      /** For each listener of the plan, in its order; then sockets beside those, each on the address of one of them. */
      readonly listeners: readonly Inherited[];
    } & PlannedParts)
  /** Makes the next plan ready beside the one in force. */
  | ({
      readonly kind: "prepare";
      readonly id: number;
      /** For each listener that the plan in force does not have, its position in the next one. */
      readonly listeners: readonly { readonly position: number; readonly from: Sent }[];
    } & NextPlannedParts)
  /** Puts what was prepared in force. */
  | { readonly kind: "commit"; readonly id: number }
  /** Forgets parts that no plan has any more. */
  | { readonly kind: "forget"; readonly parts: readonly PartId[] }
  /** Forgets what was prepared, or is being prepared. */
  | { readonly kind: "abandon" }
  /** See `questions/`. */
  | { readonly kind: "ask"; readonly id: number; readonly question: string; readonly argument: unknown }
  | { readonly kind: "drain"; readonly timeoutMs: number };

/** What a worker says to the supervisor. */
export type FromWorker =
  | { readonly kind: "ready" }
  /** What it knows of a backend's health has changed; see the words of health. */
  | { readonly kind: "alarm" }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly detail: string }
  /** What was asked for under this number is done. */
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  /** It cannot be done. */
  | { readonly kind: "refusal"; readonly id: number; readonly code: ErrorCode; readonly detail: string }
  /** A line of its log that others should hear of. */
  | { readonly kind: "event"; readonly level: Level; readonly event: string; readonly fields: LogFields }
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

function isSent(value: unknown): boolean {
  if (!isRecord(value) || !isCount(value["position"]) || !isRecord(value["from"])) return false;
  return ["sent", "own", "none"].includes(String(value["from"]["kind"]));
}

/** What a plan is made of was taken apart by the supervisor, which runs the same code. */
function isPlanned({ manifest, placement }: Record<string, unknown>): boolean {
  if (!isRecord(manifest) || !Array.isArray(manifest["listeners"]) || !Array.isArray(manifest["pools"])) return false;
  return isRecord(placement) && isRecord(placement["shape"]);
}

/** Checks a message that a worker received; `null` for one that no supervisor of this version sends. */
export function toWorker(message: unknown): ToWorker | null {
  return isRecord(message) && isToWorker(message) ? (message as ToWorker) : null;
}

function isToWorker(message: Record<string, unknown>): boolean {
  const { kind, id, parts, worker, section, workers, countersFd, channelFd, identity, listeners, question, timeoutMs } =
    message;
  switch (kind) {
    case "parts":
      return isCount(id) && Array.isArray(parts);
    case "configure":
      if (
        !isCount(worker) ||
        !isCount(section) ||
        !isCount(workers) ||
        !isCount(countersFd) ||
        (channelFd !== null && !isCount(channelFd))
      )
        return false;
      if (identity !== null && !(isRecord(identity) && isCount(identity["uid"]) && isCount(identity["gid"])))
        return false;
      return Array.isArray(listeners) && listeners.every(isInherited) && isPlanned(message);
    case "prepare":
      return isCount(id) && Array.isArray(listeners) && listeners.every(isSent) && isPlanned(message);
    case "commit":
      return isCount(id);
    case "forget":
      return Array.isArray(parts);
    case "abandon":
      return true;
    case "ask":
      return isCount(id) && typeof question === "string";
    case "drain":
      return isCount(timeoutMs);
    default:
      return false;
  }
}

/** Checks a message that the supervisor received; `null` for one that no worker of this version sends. */
export function fromWorker(message: unknown): FromWorker | null {
  if (!isRecord(message)) return null;
  const { kind, id, answer, code, detail, level, event, fields, closed } = message;
  switch (kind) {
    case "ready":
    case "alarm":
      return { kind };
    case "failed":
      return isCode(code) && typeof detail === "string" ? { kind, code, detail } : null;
    case "answer":
      return isCount(id) ? { kind, id, answer } : null;
    case "refusal":
      return isCount(id) && isCode(code) && typeof detail === "string" ? { kind, id, code, detail } : null;
    case "event":
      if (level !== "info" && level !== "warn" && level !== "error") return null;
      return typeof event === "string" && isRecord(fields) ? { kind, level, event, fields: fields as LogFields } : null;
    case "drained":
      return isCount(closed) ? { kind, closed } : null;
    default:
      return null;
  }
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERRORS, code);
}
