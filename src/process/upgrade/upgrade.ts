import type { Overlay } from "../../config/overlay/overlay.ts";
import type { Problem } from "../../config/files/problems.ts";
import { formatAddress } from "../../address.ts";
import { WeirError } from "../../errors.ts";
import type { Log } from "../../observe/log.ts";
import type { HealthLegacy } from "../supervise/health.ts";
import type { Legacy } from "../supervise/sockets.ts";
import { type FromSuccessor, HEALTH_VERSION, LEGACY_VARIABLE, type Legated, type Legator } from "./successor.ts";
import { successorCommand } from "../worker-command.ts";

/** What became of an upgrade. */
export type UpgradeReport =
  | { readonly ok: true; /** Of the process that has taken over. */ readonly pid: number }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What a successor is given. */
export interface UpgradeParts {
  readonly legacy: readonly Legacy[];
  /** Run-time edits that hold. */
  readonly edits: Overlay;
  /** The file that a reload has named; `null` for what the arguments say. */
  readonly file: string | null;
  /** What is known of the health of the pools. */
  readonly health: HealthLegacy;
  readonly log: Log;
  /** This process is to end: nobody is to take over any more. */
  readonly ending: AbortSignal;
}

/** A new program is ready in well under a second; a machine may be very busy. */
const READY_TIMEOUT_MS = 30_000;
/** Inherited file descriptors begin after stdin, stdout and stderr. */
const FIRST_INHERITED = 3;

/**
 * Starts this program anew on open listening sockets, and waits until it is ready. One that is not is ended.
 * @param timeoutMs how long it is waited for
 * @throws UPGRADE_IMPOSSIBLE, UPGRADE_FAILED
 */
export async function upgradeTo(
  { legacy, edits, file, health, log, ending }: UpgradeParts,
  timeoutMs: number = READY_TIMEOUT_MS,
): Promise<UpgradeReport & { readonly ok: true }> {
  if (process.pid === 1) throw new WeirError("UPGRADE_IMPOSSIBLE", "Weir is process 1: this system ends with it");
  if (legacy.length === 0)
    throw new WeirError(
      "UPGRADE_IMPOSSIBLE",
      "the workers listen by themselves here, so there is no socket to hand over",
    );
  const fds: number[] = [];
  const legated = legacy.map(({ address, listener, fds: own, more }): Legated => {
    const first = FIRST_INHERITED + fds.length;
    fds.push(...own);
    return { address: formatAddress(address), listener, more, fds: own.map((_, i) => first + i) };
  });
  const came = Promise.withResolvers<FromSuccessor | string>();
  const { cmd, env } = successorCommand();
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([...cmd], {
      env: { ...env, [LEGACY_VARIABLE]: JSON.stringify(legated) },
      stdio: ["inherit", "inherit", "inherit", ...fds],
      serialization: "json",
      // Only this program answers there.
      ipc: (message) => came.resolve(message as FromSuccessor),
      onExit: (_child, status, signal) =>
        came.resolve(signal === null ? `it exited with status ${status}` : `it was killed by ${signal}`),
    });
  } catch (error) {
    throw notUsed(error);
  }
  log.info("upgrade begun", { pid: child.pid });
  const end = (): void => came.resolve("Weir is ending");
  ending.addEventListener("abort", end);
  const late = setTimeout(() => came.resolve(`it was not ready within ${timeoutMs / 1000} s`), timeoutMs);
  try {
    child.send({ kind: "edits", edits, file, health: { version: HEALTH_VERSION, ...health } } satisfies Legator);
    const said = await came.promise;
    const answer = ending.aborted ? "Weir is ending" : said;
    if (typeof answer === "string") throw new WeirError("UPGRADE_FAILED", `the new program is not used: ${answer}`);
    log.info("upgrade done", { pid: child.pid });
    child.disconnect();
    child.unref();
    return { ok: true, pid: child.pid };
  } catch (error) {
    child.kill("SIGKILL");
    await child.exited;
    throw notUsed(error);
  } finally {
    clearTimeout(late);
    ending.removeEventListener("abort", end);
  }
}

/** An error of the system, when it starts a process or speaks with it, as one of this program. */
function notUsed(error: unknown): WeirError {
  if (error instanceof WeirError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new WeirError("UPGRADE_FAILED", `the new program is not used: ${why}`, error);
}
