import { systemClock } from "../clock.ts";
import type { Plan } from "../plan.ts";
import { WeirError } from "../errors.ts";
import { flushLog, stderrLog } from "../observe/stderr-log.ts";
import { Supervisor } from "../process/supervisor.ts";
import { type Mends, reportError } from "./report.ts";
import { aborted, stopSignals } from "./signals.ts";

/** The supervisor failed by a defect of its own (sysexits.h, EX_SOFTWARE). */
const DEFECT = 70;

/**
 * Runs a plan until a signal: the first drains, a second one ends at once.
 * @param meanwhile called once all workers accept; what it returns is called before the drain
 * @param mends advice for errors of the start
 * @returns the exit status: 0 after a drain, 1 when it could not start, 128 + the signal's number after the second signal
 */
export async function runPlan(
  plan: Plan,
  mends: Mends,
  meanwhile: (supervisor: Supervisor) => () => void = () => () => {},
): Promise<number> {
  const log = stderrLog();
  const stop = stopSignals();
  let supervisor: Supervisor;
  try {
    supervisor = await Supervisor.start({ plan, log, clock: systemClock, signal: stop.drain });
  } catch (error) {
    if (stop.drain.aborted) return 0; // nothing was open yet
    if (!(error instanceof WeirError)) throw error;
    reportError(error, mends);
    return 1;
  }
  const defect = (error: unknown): void => {
    log.error("supervisor failed", {
      code: "WEIR_INTERNAL",
      error: String(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    // Workers end with it: without a supervisor nobody would replace them.
    void flushLog().then(() => process.exit(DEFECT));
  };
  process.on("uncaughtException", defect);
  process.on("unhandledRejection", defect);

  const done = meanwhile(supervisor);
  await aborted(stop.drain);
  done();
  await Promise.race([supervisor.drain(), aborted(stop.now)]);
  if (!stop.now.aborted) return 0;
  log.warn("ended at once", { reason: "second signal" });
  await supervisor.stop();
  return Number(stop.now.reason);
}
