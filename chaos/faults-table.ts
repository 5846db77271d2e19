import { aligned } from "../bench/text-table.ts";
import type { Played } from "./play.ts";
import { failures, type Tally } from "./tally.ts";

const HEADER = ["fault", "GET, PUT sent", "right", "failed", "POST sent", "right", "failed", "longest ms"];

/** What became of each fault, a line each, below it why what failed did and what is not excused. */
export function faultsTable(played: readonly Played[]): readonly string[] {
  const [header = "", ...lines] = aligned([HEADER, ...played.map(cells)]);
  return [
    header,
    ...lines.flatMap((line, i) => {
      const row = played[i];
      if (row === undefined) return [line];
      return [line, ...reasons(row.tally).map((text) => `      ${text}`), ...row.wrong.map((text) => `    ! ${text}`)];
    }),
  ];
}

function cells({ act, fault, tally: { idempotent, other } }: Played): readonly string[] {
  const counts = [idempotent, other].flatMap((count) => [count.sent, count.right, failures(count)]);
  const longestMs = Math.round(Math.max(idempotent.longestMs, other.longestMs));
  return [`${act}: ${fault}`, ...[...counts, longestMs].map(String)];
}

function reasons({ idempotent, other }: Tally): readonly string[] {
  const all = (what: string, failed: Readonly<Record<string, number>>): readonly string[] =>
    Object.entries(failed).map(([why, n]) => `${n} ${what}: ${why}`);
  return [...all("GET, PUT", idempotent.failed), ...all("POST", other.failed)];
}
