import { WeirError } from "../../errors.ts";
import type { ExpectedBody } from "../../health-plan.ts";

/** What the short form of a probe says. */
export type ShortProbe = { readonly type: "off" | "tcp" } | { readonly type: "http"; readonly path: string };

/** Of a method and of the name of a field (RFC 9110 §5.6.2). */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** A request's target holds visible ASCII; a fragment is never sent (RFC 9112 §3.2). */
const TARGET = /^\/[!-"$-~]*$/;
/** A field's value: no control character but the tab; sent as Latin-1, a byte for each character. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Written by the probe itself, which has no body and closes its connection. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "connection", "upgrade"]);

/**
 * Reads the short form of a probe.
 * @throws CONFIG_BAD_VALUE with what is wrong and the forms that are right
 */
export function parseShortProbe(text: string): ShortProbe {
  if (text === "off" || text === "tcp") return { type: text };
  if (text.startsWith("/")) return { type: "http", path: parseProbePath(text) };
  throw bad(text, "no probe", '"/path", "tcp" or "off"');
}

/** Reads path and query of a probe. @throws CONFIG_BAD_VALUE */
export function parseProbePath(text: string): string {
  if (TARGET.test(text)) return text;
  throw bad(text, "no path of a request", 'a path such as "/health" in visible ASCII, others percent-encoded');
}

/** Reads the method of a probe. @throws CONFIG_BAD_VALUE */
export function parseProbeMethod(text: string): string {
  if (TOKEN.test(text) && text !== "CONNECT") return text;
  throw bad(text, "no method of a probe", 'a method such as "GET", "HEAD" or "OPTIONS"');
}

/** Reads the `Host` of a probe. @throws CONFIG_BAD_VALUE */
export function parseProbeHost(text: string): string {
  if (/^[!-~]+$/.test(text) && !/[/?#@\\]/.test(text)) return text;
  throw bad(text, "no host", 'a host such as "app.example.com" or "app.example.com:8080"');
}

/** Reads the value of a field of a probe. @throws CONFIG_BAD_VALUE */
export function parseFieldValue(text: string): string {
  if (VALUE.test(text)) return text;
  throw bad(text, "no value of a field", "a text without line breaks and control characters, in Latin-1");
}

/** What is wrong with the name of a field of a probe; `null` where nothing is. */
export function fieldNameProblem(name: string): string | null {
  if (!TOKEN.test(name)) return `${JSON.stringify(name)} is no name of a field`;
  return OWN_FIELDS.has(name.toLowerCase()) ? `the probe writes ${name} itself` : null;
}

/**
 * Reads what a body must hold: a text, or a regular expression between slashes, with flags.
 * @throws CONFIG_BAD_VALUE with what is wrong
 */
export function parseExpectedBody(text: string): ExpectedBody {
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/su.exec(text) ?? [];
  if (source === undefined || flags === undefined) {
    if (text !== "") return { kind: "text", text };
    throw bad(text, "nothing to look for", 'a text such as "ok", or a pattern such as "/^ok$/i"');
  }
  try {
    return { kind: "pattern", ...partsOf(new RegExp(source, flags)) };
  } catch (error) {
    throw bad(
      text,
      "no pattern",
      `a regular expression of JavaScript (${error instanceof Error ? error.message : ""})`,
    );
  }
}

function partsOf({ source, flags }: RegExp): { source: string; flags: string } {
  return { source, flags };
}

function bad(text: string, what: string, use: string): WeirError {
  return new WeirError("CONFIG_BAD_VALUE", `${JSON.stringify(text)} is ${what}; use ${use}`);
}
