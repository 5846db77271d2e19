import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { atOnce } from "../../steps.ts";
import { placementOf } from "../../engine/placement.ts";
import { sharedStateBytes } from "../../engine/shared-state.ts";
import { createSharedMemory } from "../shared-memory.ts";
import type { PlanParts } from "../parts/plan-parts.ts";
import type { ManifestedPlan } from "../parts/plan-store.ts";
import { PlanInForce } from "./plan-in-force.ts";
import { WorkerProcess } from "./worker-process.ts";

const plan = { ...planOf({ backends: [1] }), listeners: [] };

function started(parts: PlanParts, parted: ManifestedPlan): WorkerProcess {
  const placement = placementOf(plan, 1);
  const memory = createSharedMemory(sharedStateBytes(placement.shape), null, []);
  const place = { placement, worker: 0, section: 0, workers: 1, countersFd: memory.fd };
  return new WorkerProcess({ parts, parted, ...place, identity: null, listeners: [] }, { alarmed() {}, happened() {} });
}

test("one that has ended is said to be gone at once when it is asked, not to hang", async () => {
  const { parts, parted } = new PlanInForce(plan);
  const process = started(parts, parted);
  process.kill();
  await process.exited;
  expect(await process.ask("connections", null).catch(String)).toContain("worker 0 was killed by SIGKILL");
  expect(await process.commit().catch(String)).toContain("worker 0 was killed by SIGKILL");
});

test("one that cannot take its plan says so at once", async () => {
  const { parts, parted } = new PlanInForce(plan);
  const [first, ...others] = parts.idsOf(parted.manifest);
  atOnce(parts.keepOnly(new Set(others)));
  const process = started(parts, parted);
  expect(String(await process.ready.catch(String))).toContain(`no part ${first} of a plan`);
  process.kill();
  await process.exited;
});
