/** What one backend has got. */
export interface Share {
  readonly name: string;
  /** Requests until now. */
  readonly total: number;
  /** Requests since the last line. */
  readonly recent: number;
}

/** Requests since the line before, for each backend. A total that fell, because a worker died, counts from 0. */
export function shares(names: readonly string[], totals: readonly number[], before: readonly number[]): Share[] {
  return names.map((name, i) => {
    const total = totals[i] ?? 0;
    return { name, total, recent: Math.max(0, total - (before[i] ?? 0)) };
  });
}

/** One line that shows how requests spread: of the last second for each backend with its share, and in all. */
export function spreadLine(time: Date, backends: readonly Share[]): string {
  const sum = backends.reduce((all, { recent }) => all + recent, 0);
  const total = backends.reduce((all, each) => all + each.total, 0);
  const clock = time.toTimeString().slice(0, 8);
  const cells = backends.map(({ name, recent }) => {
    const share = sum === 0 ? "" : `${Math.round((recent / sum) * 100)} %`;
    return `${name} ${String(recent).padStart(6)} ${share.padStart(5)}`;
  });
  return `${clock}  ${String(sum).padStart(7)} req/s  |  ${cells.join("  |  ")}  |  total ${total}`;
}
