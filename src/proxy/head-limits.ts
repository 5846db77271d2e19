import type { ErrorCode } from "../errors.ts";
import type { Head } from "../http/head.ts";
import type { Limits } from "../plan.ts";

/**
 * Whether a request is larger than its route allows. A head is parsed by the widest limits of the listener's routes, since only
 * the whole of it tells the route.
 */
export function headExcess(request: Head, limits: Limits): ErrorCode | null {
  if (request.targetEnd - request.targetStart > limits.targetBytes) return "CLIENT_TARGET_TOO_LONG";
  if (request.end - request.start > limits.headBytes || request.count > limits.fields) return "CLIENT_HEAD_TOO_LARGE";
  return null;
}

/** Limits by which heads are parsed. */
export type ParseLimits = Pick<Limits, "headBytes" | "fields" | "targetBytes">;

/** The limits by which a listener parses: the widest of its routes'. O(n). */
export function widest(all: Iterable<Limits>): ParseLimits {
  const most = { headBytes: 0, fields: 0, targetBytes: 0 };
  for (const { headBytes, fields, targetBytes } of all) {
    most.headBytes = Math.max(most.headBytes, headBytes);
    most.fields = Math.max(most.fields, fields);
    most.targetBytes = Math.max(most.targetBytes, targetBytes);
  }
  return most;
}
