import type { LoadedConfig } from "../../config/files/load.ts";
import { blaming, contradicting } from "../../config/overlay/overlay-blame.ts";
import { overlayFile, readOverlay } from "../../config/overlay/overlay-file.ts";
import { lostEdits, type Overlay, withEdit } from "../../config/overlay/overlay.ts";
import type { Problem } from "../../config/files/problems.ts";
import { type Loaded, planFromConfig } from "../../config/files/read.ts";
import { WeirError } from "../../errors.ts";
import { type ConfigSource, editing, stateFolderOf } from "./config-source.ts";

/** Edits of a configuration that have outlived the last run. */
export interface KeptEdits {
  readonly edits: Overlay;
  /** Why it is not known whether there are any; `null` where it is. */
  readonly unread: WeirError | null;
}

/**
 * Reads the edits that are kept for a configuration. Where this user may not even look nothing was kept by him, and whoever needs no state can
 * do without.
 * @param name what names the configuration
 * @throws STATE_UNUSABLE
 */
export function readKept(folder: string, name: string): KeptEdits {
  try {
    return { edits: readOverlay(folder, name), unread: null };
  } catch (error) {
    const cause = error instanceof WeirError ? error.cause : null;
    if (!(error instanceof WeirError && cause instanceof Error && "code" in cause && cause.code === "EACCES"))
      throw error;
    return { edits: [], unread: error };
  }
}

/** Two lists of edits as one, as if each had been made when it was: the last of a thing wins, and of two at the same time that of the second list. */
export function mergedEdits(first: Overlay, second: Overlay): Overlay {
  const [one, other] = [[...first], [...second]];
  const merged: Overlay[number][] = [];
  for (let [a] = one, [b] = other; a !== undefined && b !== undefined; [a] = one, [b] = other) {
    if (a.madeTimeMs <= b.madeTimeMs) one.shift();
    else other.shift();
    merged.push(a.madeTimeMs <= b.madeTimeMs ? a : b);
  }
  return [...merged, ...one, ...other].reduce(withEdit, []);
}

/**
 * Edits, with what another Weir has kept meanwhile for the same configuration. A file that cannot be read adds nothing: it is no reason to
 * refuse a reload.
 * @param folder the state folder; `null` where there is none yet
 * @param name what names the configuration
 */
export function withKeptSince(edits: Overlay, folder: string | null, name: string): Overlay {
  if (folder === null) return edits;
  let kept: Overlay;
  try {
    kept = readOverlay(folder, name);
  } catch (error) {
    if (error instanceof WeirError) return edits;
    throw error;
  }
  const since = lostEdits(kept, edits, edits);
  return since.length === 0 ? edits : mergedEdits(since, edits);
}

/** The plan of a configuration that was read already, with other edits. */
export function planWithEdits(
  source: ConfigSource,
  { raw, file }: Pick<LoadedConfig, "raw" | "file">,
  edits: Overlay,
): Promise<Loaded> {
  const over = source.kind === "file" ? source.over : {};
  return planFromConfig(editing(over, edits)(raw), { file });
}

/** What is wrong with a configuration, with the edits that are to blame where it is good without them. */
export async function withBlame(
  problems: readonly Problem[],
  source: ConfigSource,
  loaded: Pick<LoadedConfig, "raw" | "file">,
  edits: Overlay,
): Promise<readonly Problem[]> {
  if (edits.length === 0 || loaded.raw === undefined) return problems;
  const bare = await planWithEdits(source, loaded, []);
  if ("problems" in bare) return problems;
  const isGood = async (some: Overlay): Promise<boolean> => "plan" in (await planWithEdits(source, loaded, some));
  return blaming(problems, await contradicting(edits, isGood), overlayFile(stateFolderOf(bare.plan)));
}
