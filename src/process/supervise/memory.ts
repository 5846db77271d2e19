import type { Clock } from "../../clock.ts";
import { capacityFor, rowsNeeded } from "../../engine/placement.ts";
import { Placements } from "../../engine/placements.ts";
import {
  type Extent,
  rangesOf,
  type SharedState,
  sharedStateBytes,
  sharedStateOver,
} from "../../engine/shared-state.ts";
import type { Plan } from "../../plan.ts";
import type { Identity } from "../identity.ts";
import { createSharedMemory } from "../shared-memory.ts";
import { sectionsFor } from "./seats.ts";

/** The memory that all processes share, and who has which row of it. */
export interface HeldMemory {
  /** Open here; workers inherit it. */
  readonly fd: number;
  readonly shared: SharedState;
  readonly placements: Placements;
}

/** Makes the shared memory, with room for many times the first plan, and so much of it present as that one needs. */
export function holdMemory(plan: Plan, identity: Identity | null, clock: Clock): HeldMemory {
  const shape = capacityFor(plan, sectionsFor(plan.workers));
  const first = { rows: { from: 0, to: rowsNeeded(plan) }, lines: { from: 0, to: plan.pools.length } };
  const held = createSharedMemory(sharedStateBytes(shape), identity, rangesOf(shape, first));
  const shared = sharedStateOver(held.memory, shape);
  const reserve = (extent: Extent): void => held.reserve(rangesOf(shape, extent));
  return { fd: held.fd, shared, placements: new Placements({ shape, shared, clock, reserve }) };
}
