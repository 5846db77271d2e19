import { deserialize, serialize } from "bun:jsc";
import type { LoadedConfig } from "../../config/files/load.ts";
import type { Problem } from "../../config/files/problems.ts";
import type { Overlay } from "../../config/overlay/overlay.ts";
import type { Manifest } from "../parts/manifest.ts";
import { packed } from "../parts/packed-plan.ts";
import { DIGEST_CHARACTERS, type SentPart } from "../parts/plan-parts.ts";

/** What the process that loads is asked for. */
export interface LoadQuestion {
  /** `null` for the default file of the folder. */
  readonly file: string | null;
  readonly folder: string;
  readonly over: Readonly<Record<string, unknown>>;
  readonly edits: Overlay;
}

/** What it says. */
export type LoadAnswer =
  | (Said & { readonly kind: "wrong"; readonly problems: readonly Problem[] })
  /** See `packed`. */
  | (Said & { readonly kind: "right"; readonly manifest: Manifest; readonly parts: Iterable<readonly SentPart[]> })
  /** Its file exports something that is no data. */
  | { readonly kind: "unsayable"; readonly reason: string };

interface Said extends Pick<LoadedConfig, "file" | "files"> {
  /** What was written. Regular expressions stay what they are. Looked into when it is wanted: that takes its time, and few do. */
  readonly raw: () => unknown;
}

/** A question as sheets of a letter. @param known digests of parts of plans that the answer need not have, as a shelf has them */
export function questionSheets(question: LoadQuestion, known: Buffer): readonly Uint8Array[] {
  return [cloned(question), known];
}

/** @returns `null` where it is none */
export function questionIn(
  sheets: readonly Buffer[] | null,
): { readonly question: LoadQuestion; readonly known: readonly string[] } | null {
  const [question, known] = sheets ?? [];
  if (question === undefined || known === undefined) return null;
  // Asked by this very program.
  return {
    question: deserialize(question) as LoadQuestion,
    known: digestsIn(known.toString("latin1")),
  };
}

function digestsIn(text: string): readonly string[] {
  const count = text.length / DIGEST_CHARACTERS;
  return Array.from({ length: count }, (_, i) => text.slice(i * DIGEST_CHARACTERS, (i + 1) * DIGEST_CHARACTERS));
}

/** An answer as sheets. What is not asked about is in nobody's way: it is sent so that it can be edited. @throws where something in it is no data */
export function answerSheets({ file, files, raw, ...loaded }: LoadedConfig, known: readonly string[]): Uint8Array[] {
  const said = { file, files };
  if ("problems" in loaded)
    return [json({ ...said, kind: "wrong", problems: loaded.problems }), raw === undefined ? NOTHING : cloned(raw)];
  const { manifest, parts } = packed(loaded.plan, known);
  return [json({ ...said, kind: "right", manifest }), cloned(raw), ...parts.map(json)];
}

/** What to say instead. */
export function unsayableSheets(reason: string): Uint8Array[] {
  return [json({ kind: "unsayable", reason })];
}

/** @returns `null` where it is none, as where the question is still there */
export function answerIn(sheets: readonly Buffer[] | null): LoadAnswer | null {
  const [first, raw = NOTHING, ...parts] = sheets ?? [];
  if (first === undefined || first[0] !== BRACE) return null;
  // Said by this very program.
  const said = JSON.parse(first.toString()) as LoadAnswer;
  if (said.kind === "unsayable") return said;
  const written = (): unknown => (raw.length === 0 ? undefined : deserialize(raw));
  return said.kind === "wrong" ? { ...said, raw: written } : { ...said, raw: written, parts: read(parts) };
}

const NOTHING = Buffer.alloc(0);
/** What an answer begins with, and a question does not. */
const BRACE = 0x7b;

function* read(batches: readonly Buffer[]): Generator<readonly SentPart[], void, void> {
  for (const batch of batches) yield JSON.parse(batch.toString()) as readonly SentPart[];
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** `node:v8` does the same, and looks for buffers first, which takes ten times as long. */
function cloned(value: unknown): Buffer {
  return serialize(value, { binaryType: "nodebuffer" });
}
