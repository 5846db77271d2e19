import type { ProbePlan } from "../health-plan.ts";

/**
 * What a probe asks, as a text: two probes with one key would get the same answers. When it is asked does not matter, so that
 * what is known of a backend outlives a change of the interval.
 */
export function probeKey(plan: ProbePlan): string {
  if (plan.type === "tcp") return `tcp ${plan.port ?? ""}`;
  const { type, port, method, path, host, headers, status, body } = plan;
  return JSON.stringify([type, port, method, path, host, headers, status, body]);
}
