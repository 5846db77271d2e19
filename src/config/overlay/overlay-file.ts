import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { WeirError } from "../../errors.ts";
import { changeText, lostEdits, type Overlay } from "./overlay.ts";

/** The file in the state folder. One user's Weirs share it, and each has its edits under the name of its configuration. */
const FILE = "overlay.json";

const subject = { pool: z.string(), backend: z.string() };
const route = { listener: z.string(), route: z.string() };
const change = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("backend-state"),
    ...subject,
    state: z.enum(["ready", "drain", "maintenance"]),
  }),
  z.strictObject({ kind: z.literal("backend-weight"), ...subject, weight: z.number() }),
  z.strictObject({ kind: z.literal("backend-add"), ...subject, value: z.unknown() }),
  z.strictObject({ kind: z.literal("backend-remove"), ...subject }),
  z.strictObject({ kind: z.literal("pool-put"), pool: z.string(), value: z.unknown() }),
  z.strictObject({ kind: z.literal("pool-remove"), pool: z.string() }),
  z.strictObject({ kind: z.literal("route-put"), ...route, value: z.unknown() }),
  z.strictObject({ kind: z.literal("route-remove"), ...route }),
]);
const overlay = z.array(z.strictObject({ change, persist: z.literal(true), madeTimeMs: z.number() }));
const stored = z.strictObject({ version: z.literal(1), edits: z.record(z.string(), overlay) });

/** Where edits are kept. @param folder the state folder */
export function overlayFile(folder: string): string {
  return join(folder, FILE);
}

/**
 * The edits that outlived the last run of a configuration; none where there is no file.
 * @param folder the state folder
 * @param source what names the configuration: the absolute path of its file, or what its flags say
 * @throws STATE_UNUSABLE where the file cannot be read, or was not written by this version
 */
export function readOverlay(folder: string, source: string): Overlay {
  const path = overlayFile(folder);
  const edits = parsed(path, textOf(path));
  return Object.hasOwn(edits, source) ? (edits[source] ?? []) : [];
}

/**
 * Keeps those edits of an overlay that are to survive a restart. The file is replaced whole: nobody ever sees a part of it.
 * @param before what was kept as far as is known here; what another Weir has kept besides is not written over
 * @throws STATE_UNUSABLE, STATE_CHANGED
 */
export function writeOverlay(folder: string, source: string, edits: Overlay, before: Overlay): void {
  const path = overlayFile(folder);
  const own = edits.filter(({ persist }) => persist);
  // Made anew where another Weir has written meanwhile: a lock would have to be broken where its owner crashed.
  for (let done = false; !done;) {
    const text = textOf(path);
    const { [source]: kept = [], ...others } = parsed(path, text);
    const [lost] = lostEdits(kept, before, own);
    if (lost !== undefined) {
      const what = `${path} holds an edit that was not made here: ${changeText(lost.change)}`;
      throw new WeirError("STATE_CHANGED", what);
    }
    const content = { version: 1, edits: own.length === 0 ? others : { ...others, [source]: own } };
    done = replaced(path, text, `${JSON.stringify(content, null, 2)}\n`);
  }
}

/** @param before what the file holds; `null` where there is none @returns false where it holds something else by now, and is as it was */
function replaced(path: string, before: string | null, after: string): boolean {
  const draft = `${path}.${process.pid}-${crypto.randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const fd = openSync(draft, "wx", 0o600);
    try {
      writeFileSync(fd, after);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (textOf(path) !== before) {
      rmSync(draft);
      return false;
    }
    renameSync(draft, path);
    return true;
  } catch (error) {
    rmSync(draft, { force: true });
    throw unusable(path, "written", error);
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw unusable(path, "read", error);
  }
}

function parsed(path: string, text: string | null): Readonly<Record<string, Overlay>> {
  if (text === null) return {};
  try {
    return stored.parse(JSON.parse(text)).edits;
  } catch (error) {
    throw unusable(path, "read", error, "it holds no run-time edits of this version; move it away to start without");
  }
}

function unusable(path: string, what: string, error: unknown, why?: string): WeirError {
  if (error instanceof WeirError) return error;
  const reason = why ?? (error instanceof Error && "code" in error ? String(error.code) : String(error));
  return new WeirError("STATE_UNUSABLE", `${path} cannot be ${what}: ${reason}`, error);
}
