import { HEALTH_FLAG, type HealthWords } from "../../observe/health-words.ts";

/** Whether a backend is neither down by its probes nor ejected. */
export function isHealthy(words: HealthWords, row: number): boolean {
  return (words.flags(row) & (HEALTH_FLAG.down | HEALTH_FLAG.ejected)) === 0;
}

/** What a backend may be, the one that says most first. */
export const STATES = ["maintenance", "down", "ejected", "drain", "ramp", "up"] as const;

/** What a backend is, by its flags. */
export function stateOfFlags(flags: number): (typeof STATES)[number] {
  return STATES.find((state) => state !== "up" && (flags & HEALTH_FLAG[state]) !== 0) ?? "up";
}
