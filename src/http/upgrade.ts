import { FIELD } from "./fields.ts";
import type { Head } from "./head.ts";

const HTTP_ITSELF = /(?:^|[,\s])(?:h2c?|https?|tls)(?:$|[,\s/;])/i;

/**
 * Whether a request's wish to change the protocol may pass (RFC 9110 §7.8). It names a protocol; HTTP/1.0 knows none; a
 * body would come before the tunnel; and HTTP of another version, or within TLS, would hide requests in the tunnel (h2c
 * smuggling).
 */
export function mayUpgrade(request: Head): boolean {
  if (!request.upgrade || request.framing !== "none" || request.minor === 0) return false;
  let named = false;
  for (let i = 0; i < request.count; i++) {
    if (request.kind(i) !== FIELD.upgrade) continue;
    if (HTTP_ITSELF.test(request.text(request.valueStart(i), request.valueEnd(i)))) return false;
    named = true;
  }
  return named;
}
