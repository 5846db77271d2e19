import type { z } from "zod";
import { ERRORS } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { poolLimitKeys } from "./limits-schema.ts";
import { finding } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { shown, valueAt } from "../files/raw.ts";
import { configSchema } from "./schema.ts";
import { nearest } from "./suggest.ts";
import { infoOf, keysOf, schemaAt } from "./walk.ts";

// Codes whose own mend says more than the form of the value.
const OWN_MEND: ReadonlySet<ErrorCode> = new Set(["CONFIG_BAD_ADDRESS", "CONFIG_BAD_WEIGHT"]);

/** Turns what the schema says into plain words, one finding for each thing that is wrong. */
export function plainFindings(issues: readonly z.core.$ZodIssue[], raw: unknown): Finding[] {
  return issues.flatMap((issue) => plain(issue, toPath(issue.path), raw));
}

function toPath(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === "symbol" ? String(step) : step));
}

function plain(issue: z.core.$ZodIssue, path: Path, raw: unknown): Finding[] {
  switch (issue.code) {
    case "custom":
      return [custom(issue, path)];
    case "unrecognized_keys":
      return issue.keys.map((name) => unknownKey(name, path));
    case "invalid_union": {
      const meant = issue.errors.find((inner) => !inner.some(isOtherType));
      if (!meant) return [wrongValue(path, raw)];
      return meant.flatMap((inner) => plain(inner, [...path, ...toPath(inner.path)], raw));
    }
    case "invalid_type":
    case "invalid_value":
    case "invalid_format":
    case "invalid_key":
    case "invalid_element":
    case "not_multiple_of":
    case "too_big":
    case "too_small":
      return [wrongValue(path, raw)];
  }
}

// A member of a union is not the one meant where the value as a whole is of another type or another word.
function isOtherType(issue: z.core.$ZodIssue): boolean {
  const ofType = issue.code === "invalid_type" && !("format" in issue);
  return issue.path.length === 0 && (ofType || issue.code === "invalid_value");
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERRORS, code);
}

function custom(issue: z.core.$ZodIssueCustom, path: Path): Finding {
  const code = isErrorCode(issue.params?.["code"]) ? issue.params["code"] : "CONFIG_BAD_VALUE";
  const mend: unknown = issue.params?.["mend"];
  return finding(code, path, issue.message, typeof mend === "string" ? mend : undefined);
}

function unknownKey(name: string, path: Path): Finding {
  const schema = schemaAt(configSchema, path);
  const keys = (schema ? keysOf(schema) : []).filter((key) => key !== "$schema");
  // What is a key of a pool's limits, letter for letter, is not mistyped.
  const meant = Object.hasOwn(poolLimitKeys, name) ? null : nearest(name, keys);
  const elsewhere = meant === null ? homeOf(name) : null;
  const hint = meant !== null ? `; did you mean "${meant}"?` : elsewhere !== null ? `; it belongs in ${elsewhere}` : "";
  const mend = meant !== null ? `Write ${meant}.` : `Use one of ${keys.join(", ")}.`;
  return {
    ...finding("CONFIG_UNKNOWN_KEY", [...path, name], `there is no key "${name}" here${hint}`, mend),
    part: "key",
    meant,
  };
}

// Where a key stands that was written in the wrong section.
function homeOf(name: string): string | null {
  const homes: [string, Path][] = [
    ["the configuration itself", []],
    ["a listener", ["listeners", ""]],
    ["a route", ["listeners", "", "routes", 0]],
    ["a pool", ["pools", ""]],
    // Those that all limits have are named below.
    ...(Object.hasOwn(poolLimitKeys, name)
      ? [["the limits of a pool", ["pools", "", "limits"]] satisfies [string, Path]]
      : []),
    ["a backend", ["pools", "", "backends", 0]],
    // Everything may have a name, so that a policy's says nothing.
    ...(name === "name" ? [] : [["a policy", ["pools", "", "policy"]] satisfies [string, Path]]),
    ["timeouts", ["timeouts"]],
    ["limits", ["limits"]],
    ["health", ["pools", "", "health"]],
    ["a probe", ["pools", "", "health", "probe"]],
    ["passive", ["pools", "", "health", "passive"]],
    ["affinity", ["pools", "", "affinity"]],
  ];
  for (const [home, path] of homes) {
    const schema = schemaAt(configSchema, path);
    if (schema && keysOf(schema).includes(name)) return home;
  }
  return null;
}

function wrongValue(path: Path, raw: unknown): Finding {
  const schema = schemaAt(configSchema, path);
  const info = schema && infoOf(schema);
  const value = valueAt(raw, path);
  const last = path.at(-1);
  const expects = info?.expects ?? "a section with keys";
  if (path.length === 0)
    return finding(
      "CONFIG_BAD_VALUE",
      path,
      `a configuration is a section with listeners and pools, not ${shown(value)}`,
    );
  if (value === undefined || (value === null && info?.missing === "CONFIG_EMPTY_POOL")) {
    const code = info?.missing ?? "CONFIG_MISSING_KEY";
    return finding(code, path, `the key "${last}" is missing`, `Add it: ${expects}.`);
  }
  const code = info?.code ?? "CONFIG_BAD_VALUE";
  if (typeof value === "string" && expects.startsWith("one of ")) {
    const names = expects.slice("one of ".length).split(", ");
    const meant = nearest(value, names);
    const hint = meant === null ? "" : `; did you mean "${meant}"?`;
    return finding(code, path, `${shown(value)} is no ${last}${hint}`, `Use ${expects}.`);
  }
  return finding(
    code,
    path,
    `it must be ${expects}${info?.hidden === true ? "" : `, not ${shown(value)}`}`,
    OWN_MEND.has(code) ? undefined : `Write ${expects}.`,
  );
}
