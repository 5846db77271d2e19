import type { EventView } from "../admin/model.ts";
import { paint } from "./admin/output.ts";

const COLOURS = { info: "green", warn: "yellow", error: "red" } as const;

/** An event in a line for people, with its day where that is not today's. By the clock of this machine. */
export function eventText({ time, level, event, fields }: EventView, now: Date): string {
  const at = new Date(time);
  const clock = `${at.toDateString() === now.toDateString() ? "" : `${dayOf(at)} `}${at.toTimeString().slice(0, 8)}`;
  const rest = Object.entries(fields).map(([key, value]) => `${paint("cyan", key)}=${shown(value)}`);
  return [paint("dim", clock), paint(COLOURS[level], level.toUpperCase().padEnd(5)), event, ...rest].join(" ");
}

function dayOf(at: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** In quotes where it would be taken for two words; escaped, so that nothing that a client or backend said can move the cursor. */
function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return /^[\w.:/@+%[\]-]+$/.test(text) ? text : JSON.stringify(text);
}
