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

/** The limits by which a listener parses: the widest of its own and of its routes'. */
export function widest(all: readonly Limits[]): Pick<Limits, "headBytes" | "fields" | "targetBytes"> {
  return {
    headBytes: Math.max(...all.map(({ headBytes }) => headBytes)),
    fields: Math.max(...all.map(({ fields }) => fields)),
    targetBytes: Math.max(...all.map(({ targetBytes }) => targetBytes)),
  };
}
