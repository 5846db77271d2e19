import { DEFAULT_HEALTH, DEFAULT_HTTP_PROBE, DEFAULT_PASSIVE, DEFAULT_TIMING } from "../../health-plan.ts";
import type { HealthPlan, PassivePlan, ProbePlan, ProbeTiming, SuccessRatePlan } from "../../health-plan.ts";
import type { ReadHealth } from "../schema/health-schema.ts";

type LongHealth = Extract<ReadHealth, { readonly panicBelow?: unknown }>;
type ReadProbe = NonNullable<LongHealth["probe"]>;
type LongProbe = Extract<ReadProbe, { readonly interval?: unknown }>;
type ReadPassive = NonNullable<LongHealth["passive"]>;
type ReadRate = NonNullable<Exclude<ReadPassive, "off">["successRate"]>;

/** Makes the health plan of a pool: what is not set is as `health-plan.ts` has it. */
export function healthOf(read: ReadHealth | undefined, slowStart: number | undefined, pinnedMs: number): HealthPlan {
  const health: LongHealth = read === undefined ? {} : isProbe(read) ? { probe: read } : read;
  return {
    probe: health.probe === undefined ? DEFAULT_HEALTH.probe : probeOf(health.probe),
    passive: health.passive === undefined ? DEFAULT_HEALTH.passive : passiveOf(health.passive),
    panicBelow: health.panicBelow ?? DEFAULT_HEALTH.panicBelow,
    slowStartMs: slowStart ?? DEFAULT_HEALTH.slowStartMs,
    pinnedMs,
  };
}

/** Whether it is the short form, a probe alone. */
function isProbe(health: ReadHealth): health is Exclude<ReadHealth, LongHealth> {
  return "type" in health;
}

function probeOf(read: ReadProbe): ProbePlan | null {
  if (read.type === "off") return null;
  const probe: LongProbe = { ...read, type: read.type };
  const timing = timingOf(probe);
  if (probe.type === "tcp") return { ...timing, type: "tcp" };
  return {
    ...timing,
    type: "http",
    method: probe.method ?? DEFAULT_HTTP_PROBE.method,
    path: probe.path ?? DEFAULT_HTTP_PROBE.path,
    host: probe.host ?? DEFAULT_HTTP_PROBE.host,
    headers: Object.entries(probe.headers ?? {}),
    status: probe.status ?? DEFAULT_HTTP_PROBE.status,
    body: probe.body ?? DEFAULT_HTTP_PROBE.body,
  };
}

function timingOf({ port, interval, timeout, rise, fall, start }: LongProbe): ProbeTiming {
  const intervalMs = interval ?? DEFAULT_TIMING.intervalMs;
  return {
    port: port ?? DEFAULT_TIMING.port,
    intervalMs,
    changingMs: Math.min(DEFAULT_TIMING.changingMs, intervalMs),
    timeoutMs: timeout ?? Math.min(DEFAULT_TIMING.timeoutMs, intervalMs),
    rise: rise ?? DEFAULT_TIMING.rise,
    fall: fall ?? DEFAULT_TIMING.fall,
    start: start ?? DEFAULT_TIMING.start,
  };
}

function passiveOf(read: ReadPassive): PassivePlan | null {
  if (read === "off") return null;
  const { failures } = read;
  const ejectMs = read.eject ?? DEFAULT_PASSIVE.ejectMs;
  return {
    failures: failures === undefined ? DEFAULT_PASSIVE.failures : failures === "off" ? null : failures,
    statuses: read.statuses ?? DEFAULT_PASSIVE.statuses,
    successRate: read.successRate === undefined ? DEFAULT_PASSIVE.successRate : rateOf(read.successRate),
    ejectMs,
    maxEjectMs: read.maxEject ?? Math.max(ejectMs, DEFAULT_PASSIVE.maxEjectMs),
    maxEjected: read.maxEjected ?? DEFAULT_PASSIVE.maxEjected,
  };
}

function rateOf(read: ReadRate): SuccessRatePlan | null {
  const usual = DEFAULT_PASSIVE.successRate;
  if (read === "off" || usual === null) return null;
  return {
    deviations: read.deviations ?? usual.deviations,
    margin: read.margin ?? usual.margin,
    backends: read.backends ?? usual.backends,
    requests: read.requests ?? usual.requests,
    windowMs: read.window ?? usual.windowMs,
  };
}
