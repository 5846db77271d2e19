import { expect, test } from "bun:test";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { placesOf } from "./places.ts";

test("every folder and link on the way to a file is a place where it can become another", () => {
  using folder = temporaryFolder();
  const root = realpathSync(folder.path);
  mkdirSync(`${root}/releases/1`, { recursive: true });
  symlinkSync("releases/1", `${root}/current`);
  symlinkSync(`${root}/current/weir.json`, `${root}/weir.json`);
  const places = placesOf([`${root}/weir.json`, `${root}/gone/other.json`]);
  expect([...(places.get(root) ?? [])].sort()).toEqual(["current", "gone", "releases", "weir.json"]);
  expect([...(places.get(`${root}/releases/1`) ?? [])]).toEqual(["weir.json"]);
  expect([...(places.get(`${root}/gone`) ?? [])]).toEqual(["other.json"]);
  expect(places.get("/")?.has(root.split("/")[1] ?? "")).toBe(true);
});

test("a ring of links has an end", () => {
  using folder = temporaryFolder();
  const root = realpathSync(folder.path);
  symlinkSync("b", `${root}/a`);
  symlinkSync("a", `${root}/b`);
  expect([...(placesOf([`${root}/a/weir.json`]).get(root) ?? [])].sort()).toEqual(["a", "b"]);
});
