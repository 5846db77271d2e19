import { COMBINED } from "../../observe/access-template.ts";
import type { AccessLogPlan, ListenerPlan, Plan } from "../../plan.ts";
import type { ReadAccessLog, ReadRequestId, ReadTracing } from "../schema/observe-schema.ts";

const STDOUT = { kind: "stdout" } as const;

/** The access log of a listener. @param top of the whole, in force where the listener says nothing */
export function accessLogOf(
  own: ReadAccessLog | undefined,
  top: ReadAccessLog | undefined,
): Pick<ListenerPlan, "accessLog"> {
  const given = own ?? top;
  if (given === undefined || given === "off") return {};
  const accessLog: AccessLogPlan =
    typeof given === "string"
      ? { format: given === "json" ? "json" : { template: COMBINED }, to: STDOUT, sample: 1 }
      : { format: given.format ?? "json", to: given.to ?? STDOUT, sample: given.sample ?? 1 };
  return { accessLog };
}

/** How requests are identified. */
export function requestIdOf(given: ReadRequestId | undefined): Pick<Plan, "requestId"> {
  const header = "X-Request-Id";
  if (given === undefined || given === "off") return {};
  if (given === "keep") return { requestId: { header, trust: "anyone" } };
  if (given === "make") return { requestId: { header, trust: "nobody" } };
  return { requestId: { header: given.header ?? header, trust: given.trust ?? "trusted-proxies" } };
}

/** How traces are continued and exported. */
export function tracingOf(given: ReadTracing | undefined): Pick<Plan, "tracing"> {
  if (given === undefined || given === "off") return {};
  const { otlp, headers = {}, service = "weir", sample = 0.1, trust = "anyone" } = given;
  return { tracing: { otlp, headers: Object.entries(headers), service, sample, trust } };
}
