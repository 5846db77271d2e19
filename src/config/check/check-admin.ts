import type { Address } from "../../address.ts";
import { listenAddress } from "./addresses.ts";
import { finding } from "../files/problems.ts";
import type { Finding } from "../files/problems.ts";
import { own, section } from "../files/raw.ts";

/** What is wrong with the admin API beyond the form of its values: where others than this machine could use it and nothing asks who they are. */
export function adminFindings(config: unknown): Finding[] {
  const admin = own(config, "admin");
  const long = section(admin) !== null;
  const text = long ? own(admin, "address") : admin;
  if (typeof text !== "string" || text === "off" || (long && own(admin, "tokenFile") !== undefined)) return [];
  let address: Address;
  try {
    address = listenAddress(text);
  } catch {
    return []; // the schema says what is wrong with it
  }
  if (isLocal(address)) return [];
  return [finding("ADMIN_NEEDS_TOKEN", long ? ["admin", "address"] : ["admin"], `others can reach "${text}" too`)];
}

/** Whether only programs of this machine reach an address: the loopback (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3), or a unix socket. */
export function isLocal(address: Address): boolean {
  if (address.kind === "unix") return true;
  const { host } = address;
  return host === "localhost" || host === "::1" || (host?.startsWith("127.") ?? false);
}
