import { systemClock } from "../clock.ts";
import type { Problem } from "../config/files/problems.ts";
import type { Plan } from "../plan.ts";
import { WeirError } from "../errors.ts";
import { flushLog, stderrLog } from "../observe/stderr-log.ts";
import type { ConfigSource } from "../process/load/config-source.ts";
import type { ChangeEars } from "../process/load/change-ears.ts";
import { LiveConfig } from "../process/load/live-config.ts";
import { succession, type Succession } from "../process/upgrade/successor.ts";
import { Supervisor } from "../process/supervise/supervisor.ts";
import { activatedSockets, type ServiceManager, serviceManager } from "../process/upgrade/systemd.ts";
import { giveWay } from "../process/supervise/time-slice.ts";
import { watchFiles } from "../process/load/watch.ts";
import { type Mends, reportError, reportProblems } from "./report.ts";
import { adminOf } from "./run-admin.ts";
import { type Asked, aborted, asked, stopSignals, terminalOf } from "./signals.ts";

/** The supervisor failed by a defect of its own (sysexits.h, EX_SOFTWARE). */
const DEFECT = 70;

/** How a configuration is run. */
export interface RunOptions {
  /** Advice for errors of the start. */
  readonly mends?: Mends;
  /** Names what the user wrote for a key, where that was no key. */
  readonly named?: (problem: Problem) => Problem;
  /** Reloads when a file of the configuration changes. */
  readonly watch?: boolean;
  /** Called once all workers accept; what it returns is called before the drain. */
  readonly meanwhile?: (supervisor: Supervisor) => () => void;
}

/** What a run has from its beginning on, before anything can be told to it. */
interface Given {
  readonly stop: ReturnType<typeof stopSignals>;
  readonly reload: Asked;
  readonly upgrade: Asked;
  readonly reopen: Asked;
  readonly heir: Succession | null;
}

/**
 * Runs a configuration until a signal: SIGINT and SIGTERM drain, and a second one ends at once; SIGHUP reloads; SIGUSR1 opens access logs anew;
 * SIGUSR2 starts the program anew and drains this one.
 * @returns the exit status: 0 after a drain, 1 when it could not start, 128 + the signal's number after the second signal
 */
export async function runConfig(source: ConfigSource, options: RunOptions = {}): Promise<number> {
  giveWay();
  const stop = stopSignals();
  const given = {
    stop,
    reload: asked("SIGHUP"),
    upgrade: asked("SIGUSR2"),
    reopen: asked("SIGUSR1"),
    heir: await succession(),
  };
  const { mends = {}, named = (problem) => problem } = options;
  const live = new LiveConfig(source, Date.now, given.heir?.edits ?? null, given.heir?.file ?? null);
  try {
    const loaded = await live.begin();
    if ("plan" in loaded) return await run(loaded.plan, live, given, options);
    reportProblems(loaded.problems.map(named), source.kind === "file" ? "`weir check --all`" : null);
    return 1;
  } catch (error) {
    if (stop.drain.aborted && !(error instanceof WeirError)) return 0; // nothing was open yet
    if (!(error instanceof WeirError)) throw error;
    reportError(error, mends);
    return 1;
  }
}

async function run(plan: Plan, live: LiveConfig, given: Given, options: RunOptions): Promise<number> {
  const { stop, reload, upgrade, reopen, heir } = given;
  const log = stderrLog();
  const manager = serviceManager(process.env, heir !== null);
  const legacy = [...(heir?.legacy ?? []), ...activatedSockets(process.env)];
  const supervisor = await Supervisor.start({
    plan,
    log,
    clock: systemClock,
    liveConfig: live,
    legacy,
    health: heir?.health ?? null,
    signal: stop.drain,
  });
  const admin = adminOf(supervisor, stop.ask);
  try {
    await (heir === null ? admin.begin() : admin.check());
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  const tellDefect = (event: string, error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error(event, { code: "WEIR_INTERNAL", error: String(error), stack });
  };
  const defect = (error: unknown): void => {
    tellDefect("supervisor failed", error);
    // Workers end with it: without a supervisor nobody would replace them.
    void flushLog().then(() => process.exit(DEFECT));
  };
  process.on("uncaughtException", defect);
  process.on("unhandledRejection", defect);

  const hungUp = Promise.withResolvers<void>();
  const onTerminal = terminalOf();
  // Nothing has changed where a change was not to be made: what runs goes on.
  const reloading = (): void => void live.reload().catch((error: unknown) => tellDefect("reload failed", error));
  reload.answer(() => {
    if (onTerminal()) reloading();
    else hungUp.resolve();
  });
  upgrade.answer(() => void supervisor.upgrade().catch((error: unknown) => tellDefect("upgrade failed", error)));
  void supervisor.succeeded.then((pid) => manager.succeededBy(pid));
  // Whoever rotates access logs has moved them.
  reopen.answer(() => void supervisor.askAll("reopen-logs"));
  const watched = options.watch === true ? watchOver(supervisor, reloading) : null;
  const done = options.meanwhile?.(supervisor) ?? ((): void => {});
  supervisor.own();
  heir?.ready();
  if (heir !== null) void admin.inherit();
  manager.ready(statusOf(supervisor));
  live.tell(changesTold(supervisor, manager));
  const alive = manager.watchdogMs === null ? undefined : setInterval(() => manager.alive(), manager.watchdogMs);
  await Promise.race([aborted(stop.drain), supervisor.succeeded, hungUp.promise]);
  done();
  watched?.close();
  // The next process is to listen there.
  if (!stop.drain.aborted) void admin.leave();
  const succeeded = supervisor.phase === "draining";
  // From now on it is the successor that is to be alive: were it to hang, nobody may vouch for it.
  if (succeeded) clearInterval(alive);
  if (!succeeded) manager.stopping();
  else void aborted(stop.drain).then(() => setTimeout(() => void supervisor.stop(), supervisor.plan.shutdownMs));
  await Promise.race([supervisor.drain(), aborted(stop.now)]);
  clearInterval(alive);
  await admin.close();
  if (!stop.now.aborted) return 0;
  log.warn("ended at once", { reason: stop.now.reason === 0 ? "asked for" : "second signal" });
  await supervisor.stop();
  return Number(stop.now.reason);
}

/** Tells the service manager of every change, whoever asked for it. Who ends, or has a successor, has nothing to say of it any more. */
function changesTold(supervisor: Supervisor, manager: ServiceManager): ChangeEars {
  let reloads = false;
  return {
    reloading() {
      reloads = supervisor.phase === "running";
      if (reloads) manager.reloading();
    },
    changed() {
      if (supervisor.phase === "running") manager[reloads ? "ready" : "status"](statusOf(supervisor));
      reloads = false;
    },
  };
}

/** Reloads when a file changes; what is watched over goes along with what the configuration consists of. */
function watchOver(supervisor: Supervisor, reloading: () => void): { close(): void } {
  const { liveConfig } = supervisor;
  const watched = watchFiles(reloading);
  liveConfig.onRead((atMs) => watched.over(liveConfig.files, atMs));
  // They were read after this process began.
  watched.over(liveConfig.files, performance.timeOrigin);
  return {
    close() {
      liveConfig.onRead(() => {});
      watched.close();
    },
  };
}

function statusOf({ plan, generation }: Supervisor): string {
  const backends = plan.pools.reduce((sum, pool) => sum + pool.backends.length, 0);
  return `generation ${generation}: ${plan.listeners.length} listeners, ${backends} backends, ${plan.workers} workers`;
}
