/** Numbers as people read them in a view that moves: short, and of a width that hardly changes. */

/** `0`, `3.2`, `48`, `1.2k`, `3.4M`. */
export function readableCount(value: number): string {
  if (value >= 999_950) return `${(value / 1_000_000).toFixed(1)}M`;
  if (value >= 999.5) return `${(value / 1000).toFixed(value >= 99_950 ? 0 : 1)}k`;
  if (value >= 9.95 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(1);
}

/** Milliseconds: `0.42 ms`, `8.1 ms`, `120 ms`, `2.4 s`; `–` for none. */
export function readableMs(value: number | null): string {
  if (value === null) return "–";
  if (value >= 999.5) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 99.5) return `${value.toFixed(0)} ms`;
  return `${value.toFixed(value >= 9.95 ? 0 : value >= 0.995 ? 1 : 2)} ms`;
}

/** A part of 1: `0 %`, `0.4 %`, `33 %`; `–` for none. */
export function readableShare(value: number | null): string {
  if (value === null) return "–";
  const percent = value * 100;
  if (percent === 0) return "0 %";
  return percent < 9.95 ? `${Math.max(0.1, percent).toFixed(1)} %` : `${percent.toFixed(0)} %`;
}

/** How long ago, from milliseconds: `now`, `12 s`, `4 min`, `3 h`, `2 d`. */
export function readableAge(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Fields of an event for which there is no room. */
const AT_LENGTH: ReadonlySet<string> = new Set(["mend", "stack"]);

/** An event's fields in a line, those that name it first, then why: `app/10.0.0.1:80 timed out worker=0`. */
export function readableFields(fields: Readonly<Record<string, unknown>>): string {
  const { pool, backend, why, what, ...others } = fields;
  const place = [pool, backend].filter((part) => typeof part === "string").join("/");
  const rest = Object.entries(others)
    .filter(([name, value]) => value !== null && value !== undefined && value !== "" && !AT_LENGTH.has(name))
    .map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : String(value as number)}`);
  // Beside `mend` it is the sentence that the table of errors has for a code; elsewhere it is the very thing.
  const said = [fields["mend"] === undefined ? what : null, why].filter((part) => typeof part === "string");
  return [place, ...said, ...rest].filter((part) => part !== "").join(" ");
}
