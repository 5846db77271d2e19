import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { placementOf } from "../../engine/placement.ts";
import { sharedStateBytes } from "../../engine/shared-state.ts";
import { createSharedMemory } from "../shared-memory.ts";
import { PlanInForce } from "./plan-in-force.ts";
import { WorkerProcess } from "./worker-process.ts";

test("one that has ended is said to be gone at once when it is asked, not to hang", async () => {
  const plan = { ...planOf({ backends: [1] }), listeners: [] };
  const placement = placementOf(plan, 1);
  const { parts, parted } = new PlanInForce(plan);
  const memory = createSharedMemory(sharedStateBytes(placement.shape), null, []);
  const process = new WorkerProcess(
    {
      parts,
      parted,
      placement,
      worker: 0,
      section: 0,
      workers: 1,
      identity: null,
      countersFd: memory.fd,
      listeners: [],
    },
    { alarmed() {}, happened() {} },
  );
  process.kill();
  await process.exited;
  expect(await process.ask("connections", null).catch(String)).toContain("worker 0 was killed by SIGKILL");
  expect(await process.commit().catch(String)).toContain("worker 0 was killed by SIGKILL");
});
