import { formatAddress } from "../address.ts";
import { DEFAULT_OPTIONS } from "../balance/policy.ts";
import { formatDuration } from "../units.ts";
import { formatKeyPart } from "./schema/key-parts.ts";
import type { HealthPlan } from "../health-plan.ts";
import type { AffinityPlan, ListenerPlan, Plan, PolicyPlan, PoolLimits, PoolPlan, RoutePlan } from "../plan.ts";

/** A plan as `weir check` shows it: listeners with their routes, pools with their backends, and the rest in a line. */
export function summary(plan: Plan): string {
  const { workers, listeners, pools } = plan;
  const lines = ["listeners"];
  const width = Math.max(0, ...[...listeners, ...pools].map(({ name }) => name.length));
  for (const listener of listeners) lines.push(...listenerLines(listener, width));
  lines.push("", "pools");
  for (const pool of pools) lines.push(...poolLines(pool, width));
  lines.push("", `${workers} ${workers === 1 ? "worker" : "workers"}`);
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

function policyText({ name, options: { load, maxLoadFactor }, key }: PolicyPlan): string {
  const by = key === null ? "" : ` by ${key.map(formatKeyPart).join(" and ")}`;
  const bound = maxLoadFactor === null ? "" : `, at most ${maxLoadFactor} times the even load`;
  return `${name}${by}${load === DEFAULT_OPTIONS.load ? "" : `, load ${load}`}${bound}`;
}

function healthText({ probe, passive }: HealthPlan): string {
  const traffic = passive === null ? ", the traffic ejects none" : "";
  if (probe === null) return traffic;
  const port = probe.port === null ? "" : ` on port ${probe.port}`;
  const what = probe.type === "tcp" ? "tcp" : `${probe.method} ${probe.path}`;
  return `, probe ${what}${port} every ${formatDuration(probe.intervalMs)}${traffic}`;
}

function affinityText(affinity: AffinityPlan | null): string {
  if (affinity === null) return "";
  const { cookie, ttlSeconds } = affinity;
  return `, affinity by the cookie ${cookie}${ttlSeconds === null ? "" : ` for ${formatDuration(ttlSeconds * 1000)}`}`;
}

function limitText({ maxConnections, maxInFlight }: Pick<PoolLimits, "maxConnections" | "maxInFlight">): string {
  const connections = maxConnections === null ? "" : `, at most ${maxConnections} connections`;
  if (maxInFlight === null) return connections;
  const inFlight = maxInFlight === "auto" ? "in flight as many as latency allows" : `at most ${maxInFlight} in flight`;
  return `${connections}, ${inFlight}`;
}

function poolLines({ name, policy, affinity, health, limits, backends }: PoolPlan, width: number): string[] {
  const longest = Math.max(0, ...backends.map(({ id }) => id.length));
  return [
    `  ${name.padEnd(width)}  ${policyText(policy)}${affinityText(affinity)}${healthText(health)}${limitText(limits)}`,
    ...backends.map(({ id, weight, maxConnections, maxInFlight, state, tier, zone }) => {
      const most = limitText({ maxConnections, maxInFlight });
      const place = `${tier === 0 ? "" : `, tier ${tier}`}${zone === null ? "" : `, zone ${zone}`}`;
      const idle = weight === 0 ? " (takes no new work)" : "";
      return `    ${id.padEnd(longest)}  weight ${weight}${idle}${most}${place}${state === "ready" ? "" : `, ${state}`}`;
    }),
  ];
}
