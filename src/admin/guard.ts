import type { Address } from "../address.ts";
import { isIPv4, isIPv6 } from "../address.ts";
import { WeirError } from "../errors.ts";
import type { Running } from "./running.ts";
import { showsToken } from "./token.ts";
import { Tries } from "./tries.ts";

/** Who sent a request: an IP address, or `unix`. */
export type Who = string;

/** What a guard needs. */
export interface GuardOptions {
  readonly address: Address;
  readonly running: Pick<Running, "now" | "note">;
}

/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Says no with how long to wait, in seconds. */
export class TooManyTries extends WeirError {
  readonly seconds: number;

  constructor(seconds: number) {
    super("ADMIN_TOO_MANY_TRIES", `try again in ${seconds} s`);
    this.seconds = seconds;
  }
}

/** Decides whether a request is listened to at all. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #tries = new Tries();
  /** `null` where being on this machine is enough. */
  token: string | null;

  constructor(options: GuardOptions, token: string | null) {
    this.#options = options;
    this.token = token;
  }

  /**
   * @param open whether what is asked for is for everybody: it needs no token
   * @throws ADMIN_WRONG_HOST, ADMIN_CROSS_SITE, ADMIN_UNAUTHORIZED, ADMIN_TOO_MANY_TRIES
   */
  admit(request: Request, who: Who, open: boolean): void {
    this.#checkHost(request);
    if (!SAFE.has(request.method)) checkSite(request);
    if (!open) this.#checkToken(request, who);
  }

  /**
   * A page of another site may give its own name this machine's address, and its scripts would then be of the same origin as the API
   * (DNS rebinding). An address has no name that could be given away; neither has whoever must show a token, which no such page knows.
   */
  #checkHost({ headers }: Request): void {
    const { address } = this.#options;
    if (address.kind === "unix" || this.token !== null) return;
    const name = hostName(headers.get("host"));
    const own = name !== null && name === address.host;
    if (name !== null && (own || isIPv4(name) || isIPv6(name) || name === "localhost" || name.endsWith(".localhost")))
      return;
    throw new WeirError("ADMIN_WRONG_HOST", `"${headers.get("host") ?? ""}" is no name of the admin API`);
  }

  #checkToken({ headers }: Request, who: Who): void {
    const { running } = this.#options;
    const { token } = this;
    if (token === null) return;
    const now = running.now();
    const waitMs = this.#tries.waitMs(who, now);
    if (waitMs > 0) throw new TooManyTries(Math.ceil(waitMs / 1000));
    const given = headers.get("authorization");
    if (showsToken(given, token)) return;
    const tries = this.#tries.wrong(who, now);
    const why = given === null ? "no token" : "a wrong token";
    // The first of a window, and the one that ends it: whoever tries does not fill the log.
    if (tries === 1 || this.#tries.waitMs(who, now) > 0)
      running.note("warn", "admin refused", { who, why, tries, code: "ADMIN_UNAUTHORIZED" });
    throw new WeirError("ADMIN_UNAUTHORIZED", `the request shows ${why}`);
  }
}

/** A browser says where a request comes from (Fetch Metadata; Fetch §3.2); other programs say nothing. */
function checkSite({ headers }: Request): void {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none")
    throw new WeirError("ADMIN_CROSS_SITE", `the request comes from another site (Sec-Fetch-Site: ${site})`);
  const origin = headers.get("origin");
  if (origin === null) return;
  if (!URL.canParse(origin) || new URL(origin).host !== headers.get("host")?.toLowerCase())
    throw new WeirError("ADMIN_CROSS_SITE", `the request comes from ${JSON.stringify(origin)}`);
}

/** The host of a `Host` field without its port, lower-case; `null` where it is none. */
function hostName(text: string | null): string | null {
  const [, v6, name] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d*)?$/.exec(text ?? "") ?? [];
  return (v6 ?? name ?? null)?.toLowerCase() ?? null;
}
