/** How a cookie is set (RFC 6265 §4.1). */
export interface CookieForm {
  readonly name: string;
  readonly path: string;
  /** `null` for a cookie that ends with the browser's session. */
  readonly maxAgeSeconds: number | null;
  /** Whether it is for connections with TLS only. */
  readonly secure: boolean;
}

/**
 * The field line that sets a cookie, with its CRLF. No script may read it, and no other site's request but a link that is
 * followed carries it. Without `Domain` it is for this very host.
 */
export function setCookieLine({ name, path, maxAgeSeconds, secure }: CookieForm, value: string): Buffer {
  const age = maxAgeSeconds === null ? "" : `; Max-Age=${maxAgeSeconds}`;
  return Buffer.from(
    `Set-Cookie: ${name}=${value}; Path=${path}${age}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}\r\n`,
    "latin1",
  );
}
