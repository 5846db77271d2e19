import { type FSWatcher, type Stats, statSync, watch } from "node:fs";
import { placesOf } from "./places.ts";

/** An editor, or a deployment, writes a file in several steps; this is a pause after the last. */
const SETTLED_MS = 200;
/** The clock of a file system is that much behind the wall clock at most: a tick of a slow kernel. */
const COARSE_MS = 10;
/** The signature of a file that is to be told of. */
const CHANGED = "changed";

/** Watches over files. */
export interface Watched {
  /**
   * Watches over these from now on.
   * @param readAt when they were read, in milliseconds since 1970: one that is new here and was written since then has changed
   */
  over(files: readonly string[], readAt: number): void;
  close(): void;
}

/** A folder that is watched. */
interface Folder {
  readonly watcher: FSWatcher;
  /** Another one when the folder is another. */
  readonly id: string;
  names: ReadonlySet<string>;
}

/**
 * Tells of files that have changed, a moment after the last of it. Their folders are watched, since an editor puts another file in the
 * place of one, and all folders on the way there, since a folder of configuration is often a symbolic link that is turned over as a whole.
 * What else happens in those folders costs a look at a name.
 * @param changed called without anything else going on
 */
export function watchFiles(changed: () => void): Watched {
  const folders = new Map<string, Folder>();
  /** Each file, and how it was when it was last told of. */
  let files: ReadonlyMap<string, string> = new Map();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const look = (): void => {
    timer = null;
    watchFolders();
    const now = new Map([...files.keys()].map((file) => [file, signatureOf(file)]));
    const same = [...now].every(([file, signature]) => files.get(file) === signature);
    files = now;
    if (!same) changed();
  };
  const stirred = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(look, SETTLED_MS);
  };
  const watchFolder = (path: string, id: string, names: ReadonlySet<string>): void => {
    try {
      const watcher = watch(path, (_event, name) => {
        if (name === null || folders.get(path)?.names.has(name) === true) stirred();
      });
      watcher.on("error", stirred); // the folder is gone; `look` watches what is there instead
      folders.set(path, { watcher, id, names });
    } catch {
      // Not there, or not to be watched; a later look tries again.
    }
  };
  const watchFolders = (): void => {
    const places = placesOf([...files.keys()]);
    for (const [path, { watcher, id }] of folders) {
      if (places.has(path) && idOf(path) === id) continue;
      watcher.close();
      folders.delete(path);
    }
    for (const [path, names] of places) {
      const folder = folders.get(path);
      if (folder !== undefined) folder.names = names;
      else watchFolder(path, idOf(path), names);
    }
  };
  return {
    over(next, readAt) {
      const before = files;
      // What was watched before is known as it was then: what has happened since is still to be told.
      const knownOf = (file: string): string =>
        before.get(file) ?? (writtenMs(file) > readAt - COARSE_MS ? CHANGED : signatureOf(file));
      files = new Map(next.map((file) => [file, knownOf(file)]));
      watchFolders();
      if ([...files.values()].includes(CHANGED)) stirred();
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      for (const { watcher } of folders.values()) watcher.close();
      folders.clear();
    },
  };
}

/** Another one when a file is another, or holds something else. */
function signatureOf(file: string): string {
  const found = statOf(file);
  return found === null ? "-" : `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}`;
}

function idOf(folder: string): string {
  const found = statOf(folder);
  return found === null ? "-" : `${found.dev}:${found.ino}`;
}

/** In milliseconds since 1970. */
function writtenMs(file: string): number {
  return statOf(file)?.mtimeMs ?? 0;
}

/** `null` for what is not there, or not to be looked at. */
function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}
