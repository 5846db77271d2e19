import type { Accounts } from "../../net/accounts.ts";
import { finding } from "../files/problems.ts";
import type { Finding } from "../files/problems.ts";
import { own } from "../files/raw.ts";

/**
 * What is wrong with whom the workers run as.
 * @param accounts where names are looked up; `null` leaves that out
 */
export function runAsFindings(config: unknown, accounts: Accounts | null): Finding[] {
  const [user, group] = [own(config, "user"), own(config, "group")];
  const found: Finding[] = [];
  if (group !== undefined && user === undefined) {
    found.push(
      finding("CONFIG_BAD_VALUE", ["group"], "there is no user to go with the group", "Add user, or remove it."),
    );
  }
  if (accounts === null) return found;
  if (typeof user === "string" && accounts.user(user) === null) {
    found.push(finding("CONFIG_UNKNOWN_USER", ["user"], `this system has no user "${user}"`));
  }
  if (typeof group === "string" && accounts.group(group) === null) {
    found.push(finding("CONFIG_UNKNOWN_USER", ["group"], `this system has no group "${group}"`));
  }
  return found;
}
