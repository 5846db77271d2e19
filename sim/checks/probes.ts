import { HEALTH_FLAG } from "../../src/observe/health-words.ts";
import { TICK_MS } from "../../src/net/timer-wheel.ts";
import type { Setting } from "../setting.ts";
import type { Weir } from "../weir.ts";
import type { World } from "../world.ts";

/** Once so many probes have had their time, and one that was under way, what they say is known. */
const SPARE = 2;

/**
 * What probes say is believed in time, and what they do not say is not: whoever has been ill for long enough is down, whoever
 * has been well for long enough is not, and where nobody is ever ill nobody is down.
 */
export function watchProbes(world: World, { plan, spells, turns }: Setting, weir: Weir): void {
  const { placement } = weir;
  const { words } = weir.shared;
  // Who is asked what, and how often, stays the same in a run without changes alone.
  if (turns.length > 0) return;
  for (const [pool, { health, backends }] of plan.pools.entries()) {
    const { probe } = health;
    if (probe === null) continue;
    const eachMs = probe.intervalMs * 1.1 + probe.timeoutMs + 2 * TICK_MS;
    const expect = (index: number, atMs: number, down: boolean): void => {
      world.aside(atMs - world.now, () => {
        const row = placement.backends[pool]?.[index] ?? 0;
        if (weir.over || ((words.flags(row) & HEALTH_FLAG.down) !== 0) === down) return;
        world.violate(
          `backend ${backends[index]?.id} is ${down ? "not down although it is ill" : "down although it is well"}`,
        );
      });
    };
    for (const [index, own] of spells.slice(0, backends.length).entries()) {
      let well = 0;
      for (const { fromMs, untilMs } of own) {
        if (fromMs - well > (probe.rise + SPARE) * eachMs) expect(index, fromMs - 1, false);
        if (untilMs - fromMs > (probe.fall + SPARE) * eachMs) expect(index, untilMs - 1, true);
        well = untilMs;
      }
      expect(index, well + (probe.rise + SPARE) * eachMs, false);
    }
  }
}
