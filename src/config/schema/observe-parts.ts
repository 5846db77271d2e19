import { isAbsolute } from "node:path";
import { parseAddress } from "../../address.ts";
import { WeirError } from "../../errors.ts";
import { FIELD, fieldKind } from "../../http/fields.ts";
import { COMBINED, templateWriter } from "../../observe/access-template.ts";
import type { AccessLogPlan, AccessLogTarget } from "../../plan.ts";

/** Where programs of a machine leave messages for syslog. */
const SYSLOG_SOCKET = "/dev/log";
/** Names of fields in letters, digits and hyphens: what everybody in between passes on. */
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;

/** Reads how a line looks. @throws CONFIG_BAD_VALUE with what is wrong and the forms that are right */
export function parseLogFormat(text: string): AccessLogPlan["format"] {
  if (text === "json") return "json";
  const template = text === "combined" ? COMBINED : text;
  templateWriter(template);
  return { template };
}

/** Reads where lines go. @throws CONFIG_BAD_VALUE, CONFIG_BAD_ADDRESS */
export function parseLogTarget(text: string): AccessLogTarget {
  if (text === "stdout") return { kind: "stdout" };
  if (text === "syslog") return { kind: "syslog", address: { kind: "unix", path: SYSLOG_SOCKET } };
  if (text.startsWith("syslog:")) return { kind: "syslog", address: parseAddress(text.slice("syslog:".length)) };
  if (isAbsolute(text) && !text.includes("\0")) return { kind: "file", path: text };
  throw bad(
    `${JSON.stringify(text)} is no place for a log`,
    "stdout, an absolute path, syslog, or syslog:ADDRESS with the host:port (UDP) or unix:/path of it",
  );
}

/** Reads the name of the field with the request id. @throws CONFIG_BAD_VALUE */
export function parseIdHeader(text: string): string {
  const bytes = Buffer.from(text);
  if (FIELD_NAME.test(text) && fieldKind(bytes, 0, bytes.length) === FIELD.other && !TAKEN.has(text.toLowerCase()))
    return text;
  throw bad(`${JSON.stringify(text)} is no field for an id`, "a name of its own, such as X-Request-Id");
}

/** Fields that mean something else to everybody. */
const TAKEN = new Set([
  "traceparent",
  "tracestate",
  "authorization",
  "cookie",
  "set-cookie",
  "location",
  "content-type",
]);

/** Reads where spans are posted to; without a path it is that of the protocol. @throws CONFIG_BAD_VALUE */
export function parseOtlp(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw bad(`${JSON.stringify(text)} is no URL of a collector`, "a URL such as http://localhost:4318/v1/traces");
  // OTLP specification, "OTLP/HTTP Request": the default path of traces.
  if (url.pathname === "/" && url.search === "") url.pathname = "/v1/traces";
  return url.href;
}

function bad(what: string, use: string): WeirError {
  return new WeirError("CONFIG_BAD_VALUE", `${what}; use ${use}`);
}
