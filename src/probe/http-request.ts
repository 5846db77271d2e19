import { type Address, formatAddress } from "../address.ts";
import type { HttpProbePlan } from "../health-plan.ts";

/** Methods whose requests have a body as a rule: one without says so (RFC 9110 §8.6). */
const WITH_BODY = /^(?:POST|PUT|PATCH)$/;

/** The bytes of a probe's request. A field of the plan takes the place of Weir's own of that name. */
export function probeRequest(plan: HttpProbePlan, address: Address): Buffer {
  const own: readonly (readonly [string, string])[] = [
    ["Host", plan.host ?? (address.kind === "unix" ? "localhost" : formatAddress(address))],
    ["User-Agent", "weir-probe"],
    ["Accept", "*/*"],
    ["Connection", "close"],
    ...(WITH_BODY.test(plan.method) ? [["Content-Length", "0"] as const] : []),
  ];
  const given = new Set(plan.headers.map(([name]) => name.toLowerCase()));
  const fields = [...own.filter(([name]) => !given.has(name.toLowerCase())), ...plan.headers];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`${plan.method} ${plan.path} HTTP/1.1\r\n${lines}\r\n`, "latin1");
}
