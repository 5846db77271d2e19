import { z } from "zod";
import { WeirError } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import type { Address } from "../../address.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../units.ts";
import { backendAddress, ipOrBlock, listenAddress, shortBackend } from "../check/addresses.ts";
import { KEY_FORMS, parseKeyPart } from "./key-parts.ts";
import { routeHost, routePath } from "../check/matches.ts";
import type { KeyPart } from "../../plan.ts";

/** What is said about a key in messages and in `docs/configuration.md`. */
export interface KeyInfo {
  /** What a right value is, in words that follow "must be". */
  readonly expects: string;
  /** The type as the documentation names it. */
  readonly type: string;
  /** The value where the key is left out; `null` where it must be there or nothing takes its place. */
  readonly fallback: string | null;
  /** The code of a wrong value. */
  readonly code: ErrorCode;
  /** The code where the key is missing or empty. */
  readonly missing: ErrorCode;
  /** Whether no message may show the value. */
  readonly hidden: boolean;
}

/** The key information of every schema of the configuration that has some. */
export const keyInfo: z.core.$ZodRegistry<KeyInfo> = z.registry<KeyInfo>();

/** Says what a key means and registers what messages and documentation need of it. */
export function key<T extends z.ZodType>(
  schema: T,
  meaning: string,
  info: Partial<KeyInfo> & Pick<KeyInfo, "expects" | "type">,
): T {
  const description =
    info.fallback === undefined || info.fallback === null ? meaning : `${meaning} Default: ${info.fallback}.`;
  const described = schema.describe(description);
  keyInfo.add(described, {
    fallback: null,
    code: "CONFIG_BAD_VALUE",
    missing: "CONFIG_MISSING_KEY",
    hidden: false,
    ...info,
  });
  return described;
}

/** A transformation by a reader that throws a `WeirError`, which becomes an issue with code and mend, so that all of them come at once. */
export function reading<In, Out>(read: (value: In) => Out): (value: In, context: z.core.$RefinementCtx) => Out {
  return (value, context) => {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      const { wrong, use } = error.advice;
      const params = { code: error.code, mend: use };
      context.issues.push({ code: "custom", message: wrong, params, input: value, continue: false });
      return z.NEVER;
    }
  };
}

const number = z.union([z.string(), z.number()]);

/** A duration; read as milliseconds. `fallback` is in milliseconds. */
export function duration(meaning: string, fallback: number): z.ZodType<number, string | number> {
  const expects = 'a duration such as "250ms", "5s" or "1h"';
  return key(number.transform(reading(parseDuration)), meaning, {
    expects,
    type: "duration",
    fallback: formatDuration(fallback),
  });
}

/** A size; read as bytes from `least` to `most`. All numbers are bytes. */
export function size(
  meaning: string,
  fallback: number,
  least: number,
  most: number,
): z.ZodType<number, string | number> {
  const read = (value: string | number): number => {
    const bytes = parseSize(value);
    if (bytes >= least && bytes <= most) return bytes;
    throw new WeirError(
      "CONFIG_BAD_VALUE",
      `${JSON.stringify(value)} is out of range; use a size from ${least} bytes to ${formatSize(most)}`,
    );
  };
  const expects = 'a size such as "32KiB" or "1MiB"';
  return key(number.transform(reading(read)), meaning, { expects, type: "size", fallback: formatSize(fallback) });
}

/** A size without an upper bound, or `"none"`; read as bytes or `null`. */
export function sizeOrNone(meaning: string): z.ZodType<number | null, string | number> {
  const read = (value: string | number): number | null => (value === "none" ? null : parseSize(value));
  const expects = 'a size such as "32KiB" or "1MiB", or "none"';
  return key(number.transform(reading(read)), meaning, { expects, type: "size or `none`", fallback: "none" });
}

/** A whole number within bounds. */
export function whole(
  meaning: string,
  fallback: number | null,
  least: number,
  most: number,
  code: ErrorCode = "CONFIG_BAD_VALUE",
): z.ZodType<number, number> {
  const expects = `a whole number from ${least} to ${most}`;
  return key(z.int().min(least).max(most), meaning, {
    expects,
    type: `number, ${least} to ${most}`,
    fallback: fallback === null ? null : String(fallback),
    code,
  });
}

/** Most that may be under way: a whole number, or `"auto"`. */
export function wholeOrAuto(meaning: string, least: number, most: number): z.ZodType<number | "auto", number | "auto"> {
  return key(z.union([z.int().min(least).max(most), z.literal("auto")]), meaning, {
    expects: `a whole number from ${least} to ${most}, or "auto"`,
    type: `number, ${least} to ${most}, or \`auto\``,
  });
}

/** A number above a bound and up to another. */
export function above(
  meaning: string,
  fallback: string,
  over: number,
  most: number,
  example: number,
): z.ZodType<number, number> {
  const expects = `a number above ${over} and up to ${most}, such as ${example}`;
  return key(z.number().gt(over).lte(most), meaning, {
    expects,
    type: `number above ${over}, up to ${most}`,
    fallback,
  });
}

/** A number from one bound to another. */
export function fraction(meaning: string, fallback: number, least: number, most: number): z.ZodType<number, number> {
  return key(z.number().min(least).max(most), meaning, {
    expects: `a number from ${least} to ${most}`,
    type: `number, ${least} to ${most}`,
    fallback: String(fallback),
  });
}

/** What a policy chooses by: one part, or a list of them. */
export function hashKey(meaning: string, fallback: string): z.ZodType<readonly KeyPart[], string | readonly string[]> {
  const expects = `${KEY_FORMS}, or a list of these`;
  const pattern = "^(source|path|host|(header|cookie|query):.+)$";
  const part = key(z.string().meta({ pattern }).transform(reading(parseKeyPart)), "A part of a request.", {
    expects: KEY_FORMS,
    type: "part of a request",
  });
  return key(z.union([part.transform((one) => [one]), z.array(part).min(1).readonly()]), meaning, {
    expects,
    type: "`source`, `path`, `host`, `header:NAME`, `cookie:NAME`, `query:NAME`, or a list of these",
    fallback,
  });
}

/** Yes or no. */
export function flag(meaning: string, fallback: boolean): z.ZodType<boolean, boolean> {
  return key(z.boolean(), meaning, { expects: "true or false", type: "true or false", fallback: String(fallback) });
}

/** One of some names; `one` and `many` are what they are called. */
export function choice<T extends string>(
  names: readonly T[],
  meaning: string,
  fallback: string | null,
): z.ZodType<T, T> {
  const expects = `one of ${names.join(", ")}`;
  return key(z.enum(names), meaning, { expects, type: names.map((name) => `\`${name}\``).join(", "), fallback });
}

/** A name of something else in the configuration. */
export function reference(meaning: string, of: string): z.ZodType<string, string> {
  return key(z.string(), meaning, { expects: `the name of a ${of}`, type: `name of a ${of}` });
}

const ADDRESS = {
  expects: "an address such as :8080, 127.0.0.1:8080 or unix:/path",
  type: "address",
  code: "CONFIG_BAD_ADDRESS",
} as const;

/** An address to listen on. */
export function listening(meaning: string): z.ZodType<Address, string> {
  return key(z.string().transform(reading(listenAddress)), meaning, ADDRESS);
}

/** The address of the admin API, or `"off"`, read as `null`. */
export function listeningOrOff(meaning: string): z.ZodType<Address | null, string> {
  const read = (value: string): Address | null => (value === "off" ? null : listenAddress(value));
  return key(z.string().transform(reading(read)), meaning, {
    ...ADDRESS,
    expects: 'an address such as 127.0.0.1:9900, or "off"',
  });
}

/** The address of a backend. */
export function reaching(meaning: string): z.ZodType<Address, string> {
  return key(z.string().transform(reading(backendAddress)), meaning, ADDRESS);
}

/** A backend in its short form. */
export function reachingWithWeight(
  meaning: string,
): z.ZodType<{ readonly address: Address; readonly weight: number }, string> {
  return key(z.string().transform(reading(shortBackend)), meaning, ADDRESS);
}

/** A host that a route matches. */
export function host(meaning: string): z.ZodType<string, string> {
  const expects = 'a host such as "api.example.com" or "*.example.com"';
  return key(z.string().transform(reading(routeHost)), meaning, { expects, type: "host", fallback: "every host" });
}

/** A path that a route matches; `null` for every path. */
export function path(meaning: string): z.ZodType<string | null, string> {
  const expects = 'a path such as "/v1" or "/v1/*"';
  return key(z.string().transform(reading(routePath)), meaning, { expects, type: "path", fallback: "every path" });
}

/** An IP address or a CIDR block. */
export function block(meaning: string): z.ZodType<string, string> {
  const expects = "an IP address or a CIDR block such as 10.0.0.0/8";
  return key(z.string().transform(reading(ipOrBlock)), meaning, {
    expects,
    type: "IP address or CIDR block",
    code: "CONFIG_BAD_ADDRESS",
  });
}

/** The name of a user or a group of the system. */
export function account(meaning: string, of: string, fallback: string): z.ZodType<string, string> {
  return key(z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/), meaning, {
    expects: `the name of a ${of} of this system`,
    type: `name of a ${of}`,
    fallback,
  });
}

/** The name of a zone. */
export function zone(meaning: string, fallback: string): z.ZodType<string, string> {
  return key(z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/), meaning, {
    expects: "a name of letters, digits, _, - and ., such as eu-west-1a",
    type: "name of a zone",
    fallback,
  });
}
