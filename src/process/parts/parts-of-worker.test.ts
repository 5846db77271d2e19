import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { PartsOf } from "./parts-of-worker.ts";
import { PlanParts } from "./plan-parts.ts";

const base = planOf({ backends: Array.from({ length: 2000 }, (_, i) => i + 1) });

test("what a worker lacks comes in small messages, each part after those that it refers to", () => {
  const all = new PlanParts();
  const manifest = all.take(base);
  const worker = new PartsOf(all);
  const batches = worker.missing(all.idsOf(manifest));
  expect(batches.length).toBeGreaterThan(3);
  for (const batch of batches) expect(JSON.stringify(batch).length).toBeLessThan(48 * 1024);
  const order = batches.flat().map(([id]) => id);
  expect(order.length).toBe(new Set(order).size);
  expect(order).toEqual([...all.idsOf(manifest)]);
});

test("only what has arrived is taken to be there", () => {
  const all = new PlanParts();
  const manifest = all.take(base);
  const worker = new PartsOf(all);
  const [first = [], ...rest] = worker.missing(all.idsOf(manifest));
  worker.took(first);
  expect(worker.missing(all.idsOf(manifest)).flat()).toEqual(rest.flat());
  for (const batch of rest) worker.took(batch);
  expect(worker.missing(all.idsOf(manifest))).toEqual([]);
});

test("what no plan has any more it may forget", () => {
  const all = new PlanParts();
  const worker = new PartsOf(all);
  const before = all.take(base);
  for (const batch of worker.missing(all.idsOf(before))) worker.took(batch);
  const after = all.take({ ...base, shutdownMs: 1, pools: [] });
  for (const batch of worker.missing(all.idsOf(after))) worker.took(batch);
  const live = all.idsOf(after);
  const gone = worker.keepOnly(live);
  expect(new Set(gone)).toEqual(new Set([...all.idsOf(before)].filter((id) => !live.has(id))));
});
