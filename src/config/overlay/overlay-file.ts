import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { WeirError } from "../../errors.ts";
import type { Overlay } from "./overlay.ts";

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
  const edits = readAll(overlayFile(folder));
  return Object.hasOwn(edits, source) ? (edits[source] ?? []) : [];
}

/**
 * Keeps those edits of an overlay that are to survive a restart. The file is replaced whole: nobody ever sees a part of it.
 * @throws STATE_UNUSABLE
 */
export function writeOverlay(folder: string, source: string, edits: Overlay): void {
  const path = overlayFile(folder);
  const { [source]: _before, ...others } = readAll(path);
  const own = edits.filter(({ persist }) => persist);
  const draft = `${path}.${process.pid}-${crypto.randomUUID()}`;
  try {
    const content = { version: 1, edits: own.length === 0 ? others : { ...others, [source]: own } };
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const fd = openSync(draft, "wx", 0o600);
    try {
      writeFileSync(fd, `${JSON.stringify(content, null, 2)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw unusable(path, "written", error);
  }
}

function readAll(path: string): Readonly<Record<string, Overlay>> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw unusable(path, "read", error);
  }
  try {
    return stored.parse(JSON.parse(text)).edits;
  } catch (error) {
    throw unusable(path, "read", error, "it holds no run-time edits of this version; move it away to start without");
  }
}

function unusable(path: string, what: string, error: unknown, why?: string): WeirError {
  const reason = why ?? (error instanceof Error && "code" in error ? String(error.code) : String(error));
  return new WeirError("STATE_UNUSABLE", `${path} cannot be ${what}: ${reason}`, error);
}
