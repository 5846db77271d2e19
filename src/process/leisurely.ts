import type { Clock } from "../clock.ts";
import { bySlices, rest } from "../engine/slices.ts";
import { systemNetwork } from "../net/network.ts";
import type { Steps } from "../steps.ts";

/** Milliseconds at a stretch: of the supervisor, for whose turns workers wait where there is no processor to spare, or of a program that Weir is part of. */
const SLICE_MS = 0.5;
/** Of what nobody waits for: a two-hundredth of the time, so that it is not among the longest hundredth of what clients wait for. */
const BACKGROUND_SLICE_MS = 0.25;
const BACKGROUND_REST_MS = 50;

/** Does long work in the supervisor: half a millisecond at a time, and the first one after what was done before. */
export async function leisurely<T>(steps: Steps<T>, clock: Clock): Promise<T> {
  await rest(systemNetwork.tick);
  return bySlices(steps, clock, systemNetwork.tick, SLICE_MS);
}

/** Does what nobody waits for: a quarter of a millisecond, twenty times a second. */
export async function inBackground(steps: Steps<void>, clock: Clock): Promise<void> {
  await rest(systemNetwork.tick, BACKGROUND_REST_MS);
  return bySlices(steps, clock, systemNetwork.tick, BACKGROUND_SLICE_MS, BACKGROUND_REST_MS);
}
