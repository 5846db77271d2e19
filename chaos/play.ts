import type { Act, Fault } from "./fault.ts";
import { openStage } from "./stage.ts";
import { noTally, type Tally } from "./tally.ts";
import { verdict } from "./verdict.ts";

/** What became of one fault. */
export interface Played {
  readonly act: string;
  readonly fault: string;
  readonly tally: Tally;
  /** What no fault excuses; empty where all is well. */
  readonly wrong: readonly string[];
}

/** Requests of a fault that are answered before it happens, and after it was put right. */
const AROUND = { before: 30, after: 150 };

/**
 * Plays the faults of an act, one after another, in front of one Weir and under one load.
 * @param holdMs how long each fault stays, where it may stay as long as one likes
 */
export async function play({ name, setting, faults }: Act, holdMs: number): Promise<readonly Played[]> {
  await using stage = await openStage(setting);
  const { load } = stage;
  const happened: { readonly fault: Fault; readonly seen: readonly string[] }[] = [];
  for (const fault of faults) {
    load.next();
    await load.answered(AROUND.before);
    const seen = await fault.happen(stage, holdMs);
    if (fault.last !== true) await load.answered(AROUND.after);
    happened.push({ fault, seen });
  }
  // The first tally is that of the time before the first fault, in which nothing may fail either.
  const [before = noTally(), ...tallies] = await load.end();
  const early = verdict(before, {}).map((text) => `before: ${text}`);
  return happened.map(({ fault, seen }, i) => {
    const tally = tallies[i] ?? noTally();
    const wrong = [...(i === 0 ? early : []), ...seen, ...verdict(tally, fault.excuses)];
    return { act: name, fault: fault.name, tally, wrong };
  });
}
