import type { Placement } from "../../engine/placement.ts";
import { WeirError } from "../../errors.ts";
import type { ManifestedPlan } from "../parts/plan-store.ts";
import type { Seats } from "./seats.ts";
import type { SocketsChange } from "./sockets.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** Of a worker that dies meanwhile it cannot be said whose fault it is: then those that are left are asked once more. */
const TRIES = 2;

/** The plan that workers are to make ready. */
export interface NextStep {
  readonly next: ManifestedPlan;
  readonly placement: Placement;
  readonly sockets: SocketsChange;
}

/**
 * Has every worker that accepts make a plan ready. All of them do, or none keeps anything of it.
 * @returns those that have
 * @throws PLAN_NOT_TAKEN, or what keeps a worker from listening
 */
export async function prepareAll(
  seats: Seats,
  { next, placement, sockets }: NextStep,
): Promise<readonly WorkerProcess[]> {
  for (let tried = 1; ; tried++) {
    // One that is starting has the plan in force; it is asked when it has.
    await seats.started();
    const asked = [...seats.running()];
    const outcomes = await Promise.allSettled(
      asked.map(([worker, process]) => {
        const listeners = sockets.added.map((position) => ({ position, ...sockets.sentTo(worker, position) }));
        return process.prepare(next, placement, listeners);
      }),
    );
    const failures = outcomes.flatMap((outcome): unknown[] => (outcome.status === "rejected" ? [outcome.reason] : []));
    const processes = asked.map(([, process]) => process);
    if (failures.length === 0) return processes;
    for (const process of processes) process.abandon();
    const died = processes.filter(({ gone }) => gone).length;
    if (died < failures.length || tried === TRIES) throw notTaken(failures[0]);
  }
}

function notTaken(failure: unknown): WeirError {
  if (!(failure instanceof WeirError)) throw failure;
  return failure.code.startsWith("LISTEN_") ? failure : new WeirError("PLAN_NOT_TAKEN", failure.detail, failure);
}
