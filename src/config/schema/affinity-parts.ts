import { isAbsolute } from "node:path";
import { WeirError } from "../../errors.ts";
import { formatDuration, parseDuration } from "../../units.ts";

/** A cookie's name is a token (RFC 6265 §4.1.1, RFC 9110 §5.6.2). */
const COOKIE_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
/** Browsers take cookies of these names only with `Secure` (RFC 6265bis §4.1.3), which a plain connection has not. */
const SECURE_ONLY = /^__(secure|host)-/i;
/** A path in visible ASCII without what would end the attribute (RFC 6265 §4.1.1). */
const COOKIE_PATH = /^\/[!-:<-~]{0,255}$/;
/** Below it a secret is guessed: 128 bits, if they are random. */
const LEAST_SECRET_BYTES = 16;
/** `Max-Age` counts whole seconds (RFC 6265 §4.1.1). */
const LEAST_TTL_MS = 1000;

/** Reads the name of a cookie. @throws CONFIG_BAD_VALUE */
export function parseCookieName(text: string): string {
  if (!COOKIE_NAME.test(text))
    throw bad(`${JSON.stringify(text)} is no name of a cookie`, "1 to 64 letters, digits and !#$%&'*+-.^_`|~");
  if (SECURE_ONLY.test(text)) throw bad(`browsers take "${text}" over TLS only`, 'a name such as "weir"');
  return text;
}

/** Reads the path of a cookie. @throws CONFIG_BAD_VALUE */
export function parseCookiePath(text: string): string {
  if (COOKIE_PATH.test(text)) return text;
  throw bad(
    `${JSON.stringify(text)} is no path of a cookie`,
    'a path such as "/" or "/shop", in visible ASCII without ;',
  );
}

/** Reads how long a cookie is kept, as milliseconds. @throws CONFIG_BAD_VALUE */
export function parseTtl(value: string | number): number {
  const ms = parseDuration(value);
  if (ms >= LEAST_TTL_MS) return ms;
  throw bad(
    `${JSON.stringify(value)} is too short, a cookie lives whole seconds`,
    `at least ${formatDuration(LEAST_TTL_MS)}`,
  );
}

/** Reads a secret; no message shows it. @throws CONFIG_BAD_VALUE */
export function parseSecret(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes >= LEAST_SECRET_BYTES) return text;
  throw bad(`the secret has only ${bytes} bytes`, `at least ${LEAST_SECRET_BYTES}, best 32 random ones in Base64`);
}

/** Reads where Weir keeps its state. @throws CONFIG_BAD_VALUE */
export function parseStateFolder(text: string): string {
  if (isAbsolute(text) && !text.includes("\0")) return text;
  throw bad(`${JSON.stringify(text)} is no absolute path`, 'a path such as "/var/lib/weir"');
}

function bad(what: string, use: string): WeirError {
  return new WeirError("CONFIG_BAD_VALUE", `${what}; use ${use}`);
}
