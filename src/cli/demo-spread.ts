import { type Address, formatAddress } from "../address.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Supervisor } from "../process/supervise/supervisor.ts";
import { shares, spreadLine } from "./spread.ts";

/** How a person reaches a listener from this machine. */
export function urlOf(address: Address): string {
  if (address.kind === "unix") return formatAddress(address);
  const everywhere = address.host === null || address.host === "0.0.0.0" || address.host === "::";
  return `http://${formatAddress(everywhere ? { ...address, host: "localhost" } : address)}`;
}

/** Where the dashboard is, with the port that was bound; `null` where there is none that a browser reaches. */
export function dashboardOf({ events, plan }: Supervisor): string | null {
  const bound = events.recent().findLast(({ event }) => event === "admin bound")?.fields["address"];
  if (plan.admin === null || typeof bound !== "string" || bound.startsWith("unix:")) return null;
  return `http://${bound.startsWith(":") ? `localhost${bound}` : bound}/`;
}

/** Prints how the requests of the first pool spread, a line a second, until what it returns is called. */
export function showSpread(supervisor: Supervisor): () => void {
  const { counters } = supervisor;
  const names = supervisor.plan.pools[0]?.backends.map(({ id }) => id.replace(/^127\.0\.0\.1/, "")) ?? [];
  // A row belongs to its backend for as long as there is one.
  const rows = supervisor.placement.backends[0] ?? [];
  const now = (): number[] => rows.map((row) => counters.total(row, COLUMN.requests));
  let before = now();
  const timer = setInterval(() => {
    const totals = now();
    console.log(spreadLine(new Date(), shares(names, totals, before)));
    before = totals;
  }, 1000);
  return () => clearInterval(timer);
}
