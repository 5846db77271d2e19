import type { ProxyName } from "./proxy.ts";
import type { Outcome } from "./rounds.ts";
import type { Figure, Goal } from "./scenario.ts";

/** One figure of all proxies: medians over the rounds, and how Weir stands. */
export interface Row {
  readonly figure: Figure;
  readonly medians: ReadonlyMap<ProxyName, number>;
  /** Weir ÷ the better of HAProxy and nginx. */
  readonly ratio: number | undefined;
  readonly reached: boolean | undefined;
}

/** The rows of a scenario's table. */
export function summarise({ scenario, samples }: Outcome): readonly Row[] {
  return scenario.figures.map((figure) => {
    const medians = new Map<ProxyName, number>();
    for (const [name, rounds] of samples) {
      medians.set(name, median(rounds.map((sample) => sample.figures[figure.key] ?? Number.NaN)));
    }
    const ratio = ratioOf(figure, medians);
    return { figure, medians, ratio, reached: isReached(figure.goal, ratio, medians.get("weir")) };
  });
}

/** Proxies that had an error in any round, whose figures are not to be trusted. */
export function suspects({ samples }: Outcome): ReadonlySet<ProxyName> {
  const names = [...samples].filter(([, rounds]) => rounds.some((sample) => sample.errors.length > 0));
  return new Set(names.map(([name]) => name));
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

function ratioOf(figure: Figure, medians: ReadonlyMap<ProxyName, number>): number | undefined {
  const own = medians.get("weir");
  const others = [medians.get("haproxy"), medians.get("nginx")].filter((value) => value !== undefined);
  if (own === undefined || others.length === 0 || figure.better === "neither") return undefined;
  return own / (figure.better === "lower" ? Math.min(...others) : Math.max(...others));
}

function isReached(goal: Goal | undefined, ratio: number | undefined, own: number | undefined): boolean | undefined {
  const value = goal?.of === "ratio" ? ratio : own;
  if (goal === undefined || value === undefined) return undefined;
  return goal.is === "at most" ? value <= goal.value : value >= goal.value;
}
