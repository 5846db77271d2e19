import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { PartsOf } from "./parts-of-worker.ts";
import { PlanParts } from "./plan-parts.ts";

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
  const { next } = all;
  all.take({ ...base, shutdownMs: 2 });
  expect(worker.of([1, next - 1, next])).toEqual([1, next - 1]);
});
