import { lookup } from "node:dns/promises";
import { WeirError } from "../errors.ts";
import { type Address, formatAddress, needsResolving } from "../address.ts";

/**
 * The address with its name looked up; IPv4 is preferred, which every client reaches. Others are given back as they are.
 * @throws CONFIG_NAME_UNRESOLVED
 */
export async function resolveAddress(address: Address): Promise<Address> {
  if (address.kind === "unix" || address.host === null || !needsResolving(address)) return address;
  try {
    const found = await lookup(address.host, { all: true });
    const chosen = found.find(({ family }) => family === 4) ?? found[0];
    if (chosen !== undefined) return { ...address, host: chosen.address };
  } catch (error) {
    throw unresolved(address, error);
  }
  throw unresolved(address);
}

function unresolved(address: Address, cause?: unknown): WeirError {
  return new WeirError("CONFIG_NAME_UNRESOLVED", `the name in ${formatAddress(address)} does not resolve`, cause);
}
