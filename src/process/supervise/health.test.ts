import { expect, test } from "bun:test";
import { planOf, until } from "../../../test/fixtures/cluster.ts";
import { placementOf } from "../../engine/placement.ts";
import { sharedStateBytes, sharedStateOver } from "../../engine/shared-state.ts";
import { keepHealth } from "./health.ts";

const POOLS = 20;

test("alarms are heeded at once; where it is time to look at many pools, that is not done at a stretch", async () => {
  const one = planOf({ backends: [1, 2] });
  const [pool] = one.pools;
  const pools = Array.from({ length: POOLS }, (_, i) => ({ ...pool!, name: `pool ${i}` }));
  const plan = { ...one, listeners: [], pools };
  const placement = placementOf(plan, 1);
  const shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(placement.shape)), placement.shape);
  const told: string[] = [];
  const tell = (event: string): void => void told.push(event);
  const count = (event: string): number => told.filter((each) => each === event).length;
  let nowMs = 0;
  const log = { info: tell, warn: tell, error: tell };
  const health = keepHealth({ plan, placement, shared, clock: { now: () => nowMs }, log });
  try {
    const { failures, ejectMs } = pool!.health.passive!;
    for (const [position, rows] of placement.backends.entries())
      for (let i = 0; i < failures!; i++) shared.words.failed(placement.lines[position]!, rows[0]!, failures!);
    health.alarmed();
    expect(count("backend ejected")).toBe(POOLS);
    nowMs = ejectMs;
    health.alarmed();
    expect(count("backend back")).toBe(1);
    await until(() => count("backend back") === POOLS);
  } finally {
    health.close();
  }
});
