import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { atOnce } from "../../steps.ts";
import { PartsOf } from "./parts-of-worker.ts";
import { PlanParts } from "./plan-parts.ts";
import { PlanStore } from "./plan-store.ts";

const base = planOf({ backends: Array.from({ length: 2000 }, (_, i) => i + 1) });

test("what a worker lacks comes in small messages, each part after those that it refers to", () => {
  const all = new PlanParts();
  const manifest = all.take(base);
  const batches = new PartsOf(all).missing();
  expect(batches.length).toBeGreaterThan(3);
  for (const batch of batches) expect(JSON.stringify(batch).length).toBeLessThan(48 * 1024);
  const order = batches.flat().map(([id]) => id);
  expect(new Set(order)).toEqual(new Set(all.idsOf(manifest)));
  const sent = new Set<number>();
  for (const id of order) {
    expect(all.part(id).refs.every((ref) => sent.has(ref.id)) && !sent.has(id)).toBe(true);
    sent.add(id);
  }
});

test("only what has arrived is taken to be there", () => {
  const all = new PlanParts();
  all.take(base);
  const worker = new PartsOf(all);
  const [first = [], ...rest] = worker.missing();
  worker.took(first);
  expect(worker.missing().flat()).toEqual(rest.flat());
  for (const batch of rest) worker.took(batch);
  expect(worker.missing()).toEqual([]);
});

test("it has to forget only what it has", () => {
  const all = new PlanParts();
  const worker = new PartsOf(all);
  all.take(base);
  for (const batch of worker.missing()) worker.took(batch);
  const after = all.take({ ...base, shutdownMs: 1, pools: [] });
  const gone = atOnce(all.keepOnly(all.idsOf(after)));
  const later = all.next;
  all.take({ ...base, shutdownMs: 2 });
  expect(gone.length).toBeGreaterThan(2000);
  expect(worker.of(gone)).toEqual(gone);
  expect(worker.of(all.keepBefore(later))).toEqual([]);
});

test("a worker that starts while others forget parts gets none without what it refers to", () => {
  const all = new PlanParts();
  all.take(base);
  const after = all.take({ ...base, pools: base.pools.map((pool) => ({ ...pool, backends: [] })) });
  const steps = all.keepOnly(all.idsOf(after));
  let starts = 0;
  for (; steps.next().done !== true; starts++) {
    const store = new PlanStore();
    for (const [id, content] of new PartsOf(all).missing().flat()) store.add(id, content);
    store.plan(after, null);
  }
  expect(starts).toBeGreaterThan(5);
});
