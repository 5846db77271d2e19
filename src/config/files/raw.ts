import type { Path } from "./problems.ts";

/** A section of an unread configuration, or `null` where the value is none. */
export function section(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
    ? (value as Record<string, unknown>)
    : null;
}

/** A value's own property, or `undefined`; names such as `constructor` are not inherited. */
export function own(value: unknown, name: string): unknown {
  const found = section(value);
  return found && Object.hasOwn(found, name) ? found[name] : undefined;
}

/** The named sections of a section: those of `listeners` or of `pools`. */
export function named(value: unknown): [name: string, value: unknown][] {
  return Object.entries(section(value) ?? {});
}

/** The elements of a list; none where the value is no list. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value at a path, or `undefined`. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) at = typeof step === "number" ? list(at)[step] : own(at, step);
  return at;
}

/** A value as a message shows it: short, in one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value instanceof Date) return "a date";
  if (value instanceof RegExp) return "a regular expression";
  if (value instanceof Promise) return "a promise";
  if (typeof value === "object") return "a section";
  if (typeof value === "function") return "a function";
  const text = typeof value === "string" ? JSON.stringify(value) : plainText(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function plainText(value: unknown): string {
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : typeof value;
}
