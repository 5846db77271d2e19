import { WeirError } from "../errors.ts";
import { type Accounts, systemAccounts } from "../net/accounts.ts";
import type { RunAs } from "../plan.ts";

/** User and group of a process, by their numbers. It has no other groups. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Whether this process may become another user. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Whom the workers are started as: root stays with the supervisor, which binds low ports and starts further workers.
 * @returns `null` where they run as the supervisor does
 * @throws CONFIG_UNKNOWN_USER, USER_NOT_PERMITTED
 */
export function workerIdentity(runAs: RunAs | null, accounts: Accounts = systemAccounts): Identity | null {
  if (runAs === null) return null;
  const user = accounts.user(runAs.user);
  if (user === null) throw new WeirError("CONFIG_UNKNOWN_USER", `this system has no user "${runAs.user}"`);
  const gid = runAs.group === null ? user.gid : accounts.group(runAs.group);
  if (gid === null) throw new WeirError("CONFIG_UNKNOWN_USER", `this system has no group "${runAs.group}"`);
  if (isRoot()) return { uid: user.uid, gid };
  // Started as that very user already, by whoever starts services here.
  if (user.uid === process.geteuid?.() && gid === process.getegid?.()) return null;
  throw new WeirError("USER_NOT_PERMITTED", `only root can start workers as the user "${runAs.user}"`);
}

/**
 * Makes sure, in a worker, that it is who it should be, and cannot become root again: nothing of a client is read before.
 * @throws WORKER_FAILED
 */
export function assertIdentity({ uid, gid }: Identity): void {
  const ids = [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  const groups = process.getgroups?.() ?? [];
  if (String(ids) !== String([uid, uid, gid, gid]) || groups.some((group) => group !== gid)) {
    const is = `user ${ids[1]}, group ${ids[3]}, groups ${groups.join(" ")}`;
    throw new WeirError("WORKER_FAILED", `it should run as user ${uid}, group ${gid}, and runs as ${is}`);
  }
  if (uid !== 0 && canBecomeRoot()) throw new WeirError("WORKER_FAILED", "it could become root again");
}

function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false; // EPERM
  }
}
