import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";

/** An editor, or a deployment, writes a file in several steps; this is a pause after the last. */
const SETTLED_MS = 200;

/** Watches over files. */
export interface Watched {
  /** Watches over these from now on. */
  over(files: readonly string[]): void;
  close(): void;
}

/**
 * Tells of files that have changed, a moment after the last of it. Their folders are watched, since an editor puts another file in the
 * place of one, and a folder of configuration is often a symbolic link that is turned over as a whole.
 * @param changed called without anything else going on
 */
export function watchFiles(changed: () => void): Watched {
  const watchers = new Map<string, FSWatcher>();
  let files: readonly string[] = [];
  let seen = "";
  let timer: ReturnType<typeof setTimeout> | null = null;
  const look = (): void => {
    timer = null;
    const now = signatureOf(files);
    if (now === seen) return;
    seen = now;
    changed();
  };
  const stirred = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(look, SETTLED_MS);
  };
  const watchFolder = (folder: string): void => {
    try {
      const watcher = watch(folder, stirred);
      watcher.on("error", () => watchers.delete(folder)); // the folder is gone
      watchers.set(folder, watcher);
    } catch {
      // Not there, or not to be watched; a later `over` tries again.
    }
  };
  return {
    over(next) {
      files = [...next];
      seen = signatureOf(files);
      const folders = new Set(files.map(dirname));
      for (const [folder, watcher] of watchers) {
        if (folders.has(folder)) continue;
        watcher.close();
        watchers.delete(folder);
      }
      for (const folder of folders) if (!watchers.has(folder)) watchFolder(folder);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

/** Another one when a file is another, or holds something else. */
function signatureOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return found === undefined ? "-" : `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}`;
    })
    .join();
}
