import { formatAddress } from "../address.ts";
import { WeirError } from "../errors.ts";
import type { ListenerPlan, Plan } from "../plan.ts";

/** What a URL says of where a request goes. */
export interface Place {
  readonly scheme: "http" | "https" | "tcp";
  /** Host and port as they stand there; empty for a path alone. */
  readonly authority: string;
  /** `null` for a path alone. */
  readonly port: number | null;
  /** Path and query as they stand there: routes see them as they come. */
  readonly target: string;
}

const PORTS: Readonly<Record<Place["scheme"], number | null>> = { http: 80, https: 443, tcp: null };

/**
 * Reads the URL of a request. Not with `URL`, which would resolve `/a/../b` and leave nothing of it to explain.
 * @throws CLI_USAGE
 */
export function readUrl(text: string): Place {
  if (text.startsWith("/") || text === "*") return { scheme: "http", authority: "", port: null, target: text };
  const [, scheme = "http", authority = "", rest = ""] = /^(?:([a-z]+):\/\/)?([^/?#]*)([^#]*)/i.exec(text) ?? [];
  const known = scheme.toLowerCase();
  if ((known !== "http" && known !== "https" && known !== "tcp") || authority === "")
    throw new WeirError(
      "CLI_USAGE",
      `"${text}" is no URL such as http://example.com/path, /path or tcp://127.0.0.1:5432`,
    );
  const named = /:(\d{1,5})$/.exec(authority);
  return {
    scheme: known,
    authority,
    port: named === null ? PORTS[known] : Number(named[1]),
    target: rest.startsWith("/") ? rest : `/${rest}`,
  };
}

/**
 * The listener that a request comes to: the named one, or the one on the port of the URL; where nothing listens there, the only one there is.
 * A name in the URL plays no part: where it leads, DNS says and not the plan.
 * @throws CLI_USAGE where no listener has the name
 */
export function chooseListener(
  { listeners }: Plan,
  { port, authority, scheme }: Place,
  name: string | null,
): { readonly listener: ListenerPlan | null; readonly why: string } {
  const names = listeners.map((each) => each.name).join(", ");
  if (name !== null) {
    const named = listeners.find((each) => each.name === name);
    if (named === undefined) throw new WeirError("CLI_USAGE", `no listener is named "${name}"; there are: ${names}`);
    return { listener: named, why: "it was named" };
  }
  const onPort = listeners.filter(({ address }) => port !== null && address.kind === "tcp" && address.port === port);
  const host = authority.replace(/:\d{1,5}$/, "");
  const exact = onPort.find(({ address }) => address.kind === "tcp" && hostText(address.host) === host);
  if (exact !== undefined) return { listener: exact, why: `it listens on ${formatAddress(exact.address)}` };
  const any = onPort.find(({ address }) => address.kind === "tcp" && isAny(address.host)) ?? onPort[0];
  if (any !== undefined) return { listener: any, why: `it listens on port ${port}` };
  const fitting = listeners.filter(({ mode }) => (mode === "tcp") === (scheme === "tcp"));
  const [only] = fitting;
  const nothing = port === null ? "the URL names no port" : `nothing listens on port ${port}`;
  if (only !== undefined && fitting.length === 1)
    return { listener: only, why: `${nothing}; it is the only one in mode ${only.mode}` };
  return { listener: null, why: `${nothing}: name the listener, one of ${names}` };
}

function hostText(host: string | null): string {
  return host !== null && host.includes(":") ? `[${host}]` : (host ?? "");
}

function isAny(host: string | null): boolean {
  return host === null || host === "0.0.0.0" || host === "::";
}
