import { expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { watchFiles } from "./watch.ts";

/** Watches over a file that nobody has written since it was read. */
function watching(
  file: string,
): Disposable & { readonly again: (files: readonly string[]) => void; next(): Promise<void> } {
  let told = Promise.withResolvers<void>();
  const watched = watchFiles(() => told.resolve());
  watched.over([file], Date.now() + 1000);
  return {
    again: (files) => watched.over(files, Date.now() + 1000),
    async next() {
      await told.promise;
      told = Promise.withResolvers<void>();
    },
    [Symbol.dispose]: () => watched.close(),
  };
}

test("a folder that is a link is turned over, and what it leads to then is watched", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  for (const release of ["1", "2"]) {
    mkdirSync(`${path}/${release}`);
    writeFileSync(`${path}/${release}/weir.json`, release);
  }
  symlinkSync("1", `${path}/current`);
  using watched = watching(`${path}/current/weir.json`);
  symlinkSync("2", `${path}/next`);
  renameSync(`${path}/next`, `${path}/current`);
  await watched.next();
  writeFileSync(`${path}/2/weir.json`, "another length");
  await watched.next();
});

test("the file that a link leads to is written in its own folder", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  mkdirSync(`${path}/elsewhere`);
  writeFileSync(`${path}/elsewhere/real.json`, "1");
  symlinkSync("elsewhere/real.json", `${path}/weir.json`);
  using watched = watching(`${path}/weir.json`);
  writeFileSync(`${path}/elsewhere/real.json`, "another length");
  await watched.next();
});

test("a folder goes, and comes again", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/config/weir.json`;
  mkdirSync(`${folder.path}/config`);
  writeFileSync(file, "1");
  using watched = watching(file);
  rmSync(`${folder.path}/config`, { recursive: true });
  await watched.next();
  mkdirSync(`${folder.path}/config`);
  writeFileSync(file, "22");
  await watched.next();
  writeFileSync(file, "333");
  await watched.next();
});

test("other files of the folder that never rest keep nobody from seeing a change", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/weir.json`;
  writeFileSync(file, "1");
  using watched = watching(file);
  const busy = setInterval(() => writeFileSync(`${folder.path}/access.log`, String(Math.random())), 5);
  writeFileSync(file, "another length");
  await watched.next();
  clearInterval(busy);
});

test("what was written after the files were read is told of, and only once", async () => {
  using folder = temporaryFolder();
  const [old, fresh] = [`${folder.path}/old.json`, `${folder.path}/fresh.json`];
  for (const file of [old, fresh]) writeFileSync(file, "1");
  const now = Date.now();
  utimesSync(old, now / 1000 - 60, now / 1000 - 60);
  utimesSync(fresh, now / 1000, now / 1000);
  let times = 0;
  let told = Promise.withResolvers<void>();
  const watched = watchFiles(() => {
    times += 1;
    // As whoever reads them again does.
    watched.over([old, fresh], now - 1000);
    told.resolve();
  });
  watched.over([old, fresh], now - 1000);
  await told.promise;
  told = Promise.withResolvers();
  writeFileSync(old, "22");
  await told.promise;
  expect(times).toBe(2);
  watched.close();
});

test("a change while the files are read again is not lost", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/weir.json`;
  writeFileSync(file, "1");
  using watched = watching(file);
  writeFileSync(file, "another length");
  // Before anybody could have been told.
  watched.again([file]);
  await watched.next();
});
