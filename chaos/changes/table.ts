import { aligned } from "../../bench/text-table.ts";
import type { Changed } from "./play.ts";
import { type Counts, KINDS } from "./traffic.ts";

const HEADER = ["", "changes", ...KINDS.flatMap((kind) => [kind, "failed"]), "closed", "processes", "MiB"];

/** What became of each balancer, a line each, and below it why what failed did. */
export function changesTable(all: readonly Changed[]): readonly string[] {
  const [header = "", ...lines] = aligned([HEADER, ...all.map(cells)]);
  return [header, ...lines.flatMap((line, i) => [line, ...(all[i] === undefined ? [] : reasons(all[i]))])];
}

/** What is not as it is to be: failed requests, and WebSockets that were closed. */
export function losses({ tally: { kinds, closed } }: Changed): readonly string[] {
  const failed = KINDS.flatMap((kind) => {
    const { sent, right } = kinds[kind];
    return sent === right && right > 0 ? [] : [`${kind}: ${sent} sent, ${right} answered right`];
  });
  return closed === 0 ? failed : [...failed, `${closed} WebSockets were closed`];
}

function cells({ title, changes, acts, tally, processes, memory }: Changed): readonly string[] {
  return [
    title,
    [changes, ...acts].join(" + "),
    ...KINDS.flatMap((kind) => [String(tally.kinds[kind].sent), String(failures(tally.kinds[kind]))]),
    `${tally.closed} of ${tally.open}`,
    processes.join(" → "),
    memory.join(" → "),
  ];
}

function failures({ failed }: Counts): number {
  return Object.values(failed).reduce((sum, n) => sum + n, 0);
}

function reasons({ tally }: Changed): readonly string[] {
  return KINDS.flatMap((kind) =>
    Object.entries(tally.kinds[kind].failed).map(([why, n]) => `      ${n} ${kind}: ${why}`),
  );
}
