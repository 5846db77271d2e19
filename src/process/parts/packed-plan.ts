import type { Plan } from "../../plan.ts";
import { type Manifest, type PartId, renumbered, withRefs } from "./manifest.ts";
import { PlanParts, type SentPart } from "./plan-parts.ts";

/** Parts that are read at a stretch: a fraction of a millisecond. */
const BATCH = 200;

/**
 * A plan for somebody who knows some of its parts: numbers are positions in his list of those, and then in what is new here.
 */
export interface PackedPlan {
  readonly manifest: Manifest;
  /** What is not known, each after those that it refers to. */
  readonly parts: readonly (readonly SentPart[])[];
}

/**
 * Packs a plan. O(size of the plan).
 * @param known digests of parts that need not be in it
 */
export function packed(plan: Plan, known: readonly string[]): PackedPlan {
  const parts = new PlanParts();
  const manifest = parts.take(plan);
  const knownAt = new Map(known.map((digest, position) => [digest, position]));
  const positions = new Map<PartId, number>();
  const positionOf = (id: PartId): number => positions.get(id)!;
  const batches: SentPart[][] = [];
  let count = 0;
  for (const id of parts.idsOf(manifest)) {
    const { content, digest, bytes } = parts.part(id);
    positions.set(id, knownAt.get(digest) ?? known.length + count);
    if (knownAt.has(digest)) continue;
    if (count % BATCH === 0) batches.push([]);
    batches.at(-1)!.push([withRefs(content, positionOf), digest, bytes]);
    count += 1;
  }
  return { manifest: renumbered(manifest, positionOf), parts: batches };
}
