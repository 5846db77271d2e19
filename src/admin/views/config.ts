import { changeText, type Edit, applyOverlay, idleEdits } from "../../config/overlay/overlay.ts";
import type { ConfigView, EditView } from "../model.ts";
import type { Running } from "../running.ts";

/** What stands in the place of a secret. */
export const MASK = "***";

/** Keys whose values nobody is to see: the fields that probes and spans are sent with are often a key, whatever they are called. */
const SECRET = /secret|token$|password|^headers$/i;
/** Who a URL is asked as (RFC 3986 §3.2.1). */
const USER_OF_URL = /(:\/\/)[^/?#\s]*@/;

/** The configuration in force, as a user writes it, run-time edits included. */
export function configView({ generation, config }: Running): ConfigView {
  const { file, raw, overlay } = config;
  return { generation, file, configuration: masked(applyOverlay(raw, overlay)), edits: editViews(raw, overlay) };
}

/** Run-time edits, for people. */
export function editViews(raw: unknown, overlay: readonly Edit[]): EditView[] {
  const idle = new Set(idleEdits(raw, overlay));
  return overlay.map((edit) => ({
    persist: edit.persist,
    madeAt: new Date(edit.madeTimeMs).toISOString(),
    text: changeText(edit.change),
    applies: !idle.has(edit),
  }));
}

/** Plain data without secrets; what JSON has no form for, as a regular expression of a TypeScript configuration, becomes text. */
export function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (value instanceof RegExp || typeof value === "function") return String(value);
  if (typeof value === "string") return value.replace(USER_OF_URL, `$1${MASK}@`);
  if (typeof value !== "object" || value === null) return typeof value === "bigint" ? String(value) : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET.test(key) ? hidden(inner) : masked(inner)]),
  );
}

/** The same with a mask for each value; which keys there are is no secret. */
function hidden(value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== "object" || value instanceof RegExp) return MASK;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(inner)]));
}
