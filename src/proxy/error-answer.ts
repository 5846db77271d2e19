import type { ErrorCode } from "../errors.ts";
import type { Head } from "../http/head.ts";
import { errorResponse } from "../http/error-response.ts";
import type { InboundStream } from "../http/streams.ts";
import type { Link, Target } from "./target.ts";

/**
 * Answers a client by an error.
 * @param target where its request went, `null` where it was not known yet
 * @param before told of the head, and of the bytes of the body, before they are sent; `null` for nobody
 */
export function sendError(
  client: InboundStream,
  target: Target<Link> | null,
  code: ErrorCode,
  detail: string,
  before: ((head: Head, bodyBytes: number) => void) | null = null,
): void {
  const { head, body } = errorResponse(code, withPanic(target, detail), retryAfterSeconds(target, code));
  before?.(head, body.length);
  client.sendHead(head);
  client.sendBody(body, 0, body.length);
  client.sendEnd(null);
}

/** Says of an error that it happened while all backends get work, the healthy and the others. */
function withPanic(target: Target<Link> | null, detail: string): string {
  if (target === null || !target.live.health.panics) return detail;
  return `${detail}${detail === "" ? "" : "; "}the pool panics, too few of its backends are healthy`;
}

function retryAfterSeconds(target: Target<Link> | null, code: ErrorCode): number | null {
  if (target === null) return null;
  const { health, gate } = target.live;
  if (code === "POOL_NO_BACKEND") return health.retryAfterSeconds;
  if (code === "POOL_FULL" || code === "POOL_QUEUE_TIMEOUT") return gate?.retryAfterSeconds ?? null;
  return null;
}
