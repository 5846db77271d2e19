import type { Clock } from "../clock.ts";
import { bySlices, rest } from "../engine/slices.ts";
import { systemNetwork } from "../net/network.ts";
import type { Steps } from "../steps.ts";

/** Milliseconds at a stretch: of the supervisor, for whose turns workers wait where there is no processor to spare. */
const SLICE_MS = 0.5;

/** Does long work in the supervisor: half a millisecond at a time, and the first one after what was done before. */
export async function leisurely<T>(steps: Steps<T>, clock: Clock): Promise<T> {
  await rest(systemNetwork.tick);
  return bySlices(steps, clock, systemNetwork.tick, SLICE_MS);
}
