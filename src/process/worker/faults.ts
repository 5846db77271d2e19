import { WeirError } from "../../errors.ts";

/** Where a test may have a worker fail. */
type FaultPoint = "prepare" | "prepare-exit" | "commit-exit";

/**
 * Lets a worker fail where the tests say so: `WEIR_FAULT=prepare:1` has worker 1 refuse every plan. Nothing else sets it.
 * @throws PLAN_NOT_TAKEN
 */
export function faultAt(point: FaultPoint, worker: number): void {
  if (process.env["WEIR_FAULT"] !== `${point}:${worker}`) return;
  if (point === "prepare") throw new WeirError("PLAN_NOT_TAKEN", "a fault was asked for");
  process.exit(1);
}

/** Has a worker be for ever in making a plan ready, where `WEIR_FAULT=prepare-hang:1` says so. */
export function hangAt(point: "prepare-hang", worker: number): Promise<void> {
  return process.env["WEIR_FAULT"] === `${point}:${worker}` ? new Promise(() => {}) : Promise.resolve();
}
