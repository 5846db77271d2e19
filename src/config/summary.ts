import { formatAddress } from "../address.ts";
import type { ListenerPlan, Plan, PoolPlan, RoutePlan } from "../plan.ts";

/** A plan as `weir check` shows it: listeners with their routes, pools with their backends, and the rest in a line. */
export function summary(plan: Plan): string {
  const { admin, workers, listeners, pools } = plan;
  const lines = ["listeners"];
  const width = Math.max(0, ...[...listeners, ...pools].map(({ name }) => name.length));
  for (const listener of listeners) lines.push(...listenerLines(listener, width));
  lines.push("", "pools");
  for (const pool of pools) lines.push(...poolLines(pool, width));
  const api = admin === null ? "off" : `at ${formatAddress(admin)}`;
  lines.push("", `${workers} ${workers === 1 ? "worker" : "workers"}, admin API ${api}`);
  return lines.join("\n");
}

function listenerLines({ name, mode, address, routes }: ListenerPlan, width: number): string[] {
  const texts = routes.map((route) => matchText(route));
  const longest = Math.max(0, ...texts.map((text) => text.length));
  return [
    `  ${name.padEnd(width)}  ${mode.padEnd(4)}  ${formatAddress(address)}`,
    ...routes.map(({ pool }, i) => `    ${(texts[i] ?? "").padEnd(longest)} → ${pool}`),
  ];
}

function matchText({ host, path }: RoutePlan): string {
  return host === null && path === null ? "everything" : `${host ?? "*"}${path ?? "/*"}`;
}

function poolLines({ name, policy, backends }: PoolPlan, width: number): string[] {
  const longest = Math.max(0, ...backends.map(({ id }) => id.length));
  return [
    `  ${name.padEnd(width)}  ${policy}`,
    ...backends.map(({ id, weight, maxConnections }) => {
      const most = maxConnections === null ? "" : `, at most ${maxConnections} connections`;
      return `    ${id.padEnd(longest)}  weight ${weight}${weight === 0 ? " (takes no new work)" : ""}${most}`;
    }),
  ];
}
