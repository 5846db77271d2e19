import type { Dice } from "./dice.ts";

/** A time in which a backend fails its probes, whatever it does with its work. */
export interface Spell {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly how: "says so" | "is silent" | "breaks off";
}

/** Runs are over soon: a backend that is ill later is seen by nobody. */
const LATEST_MS = 40_000;

/** Draws when a backend is ill. */
export function drawSpells(dice: Dice): readonly Spell[] {
  const spells: Spell[] = [];
  if (dice.oneIn(3)) return spells;
  let at = dice.size(0, 3000);
  while (at < LATEST_MS) {
    const untilMs = at + dice.size(300, 30_000);
    spells.push({ fromMs: at, untilMs, how: dice.pick(["says so", "is silent", "breaks off"] as const) });
    at = untilMs + dice.size(300, 30_000);
  }
  return spells;
}

/** How a backend is ill at a time; `null` where it is well. */
export function illness(spells: readonly Spell[], now: number): Spell | null {
  return spells.find(({ fromMs, untilMs }) => now >= fromMs && now < untilMs) ?? null;
}
