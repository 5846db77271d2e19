import { type Count, failures, type Tally } from "./tally.ts";

/** Which failures a fault excuses. */
export interface Excuses {
  /** Of GET and PUT, by why; none by default. */
  readonly idempotent?: readonly string[];
  /** Of POST, by why; none by default. */
  readonly other?: readonly string[];
  /** The most of them together, where it is known. */
  readonly most?: number;
  /** The longest that a request may take. */
  readonly longestMs?: number;
}

/** What a tally has that its fault does not excuse. A tally in which nothing was asked proves nothing. */
export function verdict({ idempotent, other }: Tally, excuses: Excuses): string[] {
  const found = [...unexcused("GET, PUT", idempotent, excuses.idempotent), ...unexcused("POST", other, excuses.other)];
  const failed = failures(idempotent) + failures(other);
  if (failed > (excuses.most ?? Infinity)) found.push(`${failed} failed, at most ${excuses.most} may`);
  const longestMs = Math.max(idempotent.longestMs, other.longestMs);
  if (longestMs > (excuses.longestMs ?? Infinity))
    found.push(`one took ${Math.round(longestMs)} ms, at most ${excuses.longestMs} ms may pass`);
  return found;
}

function unexcused(what: string, count: Count, excused: readonly string[] = []): string[] {
  const found = Object.entries(count.failed)
    .filter(([why]) => !excused.includes(why))
    .map(([why, n]) => `${what}: ${n} failed, ${why}`);
  const told = count.right + failures(count);
  if (told !== count.sent) found.push(`${what}: ${count.sent} were sent, and only ${told} have ended`);
  if (count.right === 0) found.push(`${what}: none was answered`);
  return found;
}
