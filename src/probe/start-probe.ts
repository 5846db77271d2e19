import type { Address } from "../address.ts";
import type { ProbePlan } from "../health-plan.ts";
import type { ProbeOutcome } from "../pool/probe-state.ts";
import { HttpProbe } from "./http.ts";
import { probeRequest } from "./http-request.ts";
import type { Probe, ProbeTools } from "./probe.ts";
import { TcpProbe } from "./tcp.ts";

/** The address that is probed: the backend's, with the probe's port where it has one. */
export function probedAddress(address: Address, plan: ProbePlan): Address {
  return address.kind === "unix" || plan.port === null ? address : { ...address, port: plan.port };
}

/** Makes the probe of a plan, ready to start. */
export function makeProbe(
  plan: ProbePlan,
  address: Address,
  { wheel }: ProbeTools,
  settled: (outcome: ProbeOutcome) => void,
): Probe {
  switch (plan.type) {
    case "tcp":
      return new TcpProbe(wheel, plan.timeoutMs, settled);
    case "http":
      return new HttpProbe(plan, probeRequest(plan, address), wheel, settled);
  }
}
