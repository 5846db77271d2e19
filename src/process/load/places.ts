import { readlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** So many links in a path are a ring (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Where something can happen that makes a path lead to another file: each folder on the way, through all symbolic links, with the names in it
 * that the way goes by. Folders that are missing are among them.
 * @param paths absolute
 */
export function placesOf(paths: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const places = new Map<string, Set<string>>();
  for (const path of paths) walk(path, places);
  return places;
}

function walk(path: string, places: Map<string, Set<string>>): void {
  let folder = "/";
  let names = namesOf(path);
  for (let links = 0; names.length > 0;) {
    const [name = "", ...rest] = names;
    const known = places.get(folder);
    if (known === undefined) places.set(folder, new Set([name]));
    else known.add(name);
    const target = targetOf(join(folder, name));
    if (target === null) {
      folder = join(folder, name);
      names = rest;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return;
    names = [...namesOf(resolve(folder, target)), ...rest];
    folder = "/";
  }
}

function namesOf(path: string): readonly string[] {
  return dirname(path) === path ? [] : path.split("/").filter((name) => name !== "");
}

/** Where a symbolic link leads; `null` for what is none, or is not there. */
function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
