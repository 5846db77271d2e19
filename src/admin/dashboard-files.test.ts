import { expect, test } from "bun:test";
import { dashboardFile } from "./dashboard-files.ts";

test("the page and what it names are served, and nothing of another origin is named", async () => {
  const page = await dashboardFile("/");
  const html = (await page?.text()) ?? "";
  expect(page?.headers.get("content-type")).toBe("text/html;charset=utf-8");
  expect(page?.headers.get("cache-control")).toBe("no-cache");
  expect(html).not.toMatch(/(src|href)="(?:\w+:)?\/\//);
  const names = [...html.matchAll(/(?:src|href)="\.?(\/[^"]+)"/g)].map(([, name]) => name ?? "");
  expect(names.map((name) => name.replace(/.*\./, "")).sort()).toEqual(["css", "js", "svg"]);
  const types = await Promise.all(names.map(async (name) => (await dashboardFile(name))?.headers.get("content-type")));
  expect(types.sort()).toEqual(["image/svg+xml", "text/css;charset=utf-8", "text/javascript;charset=utf-8"]);
});

test("nothing but own files may run in it, and nobody may frame it", async () => {
  const policy = (await dashboardFile("/"))?.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  const html = (await (await dashboardFile("/"))?.text()) ?? "";
  expect(html).not.toMatch(/<style|<script(?![^>]*src=)|\son\w+=|\sstyle=/);
});

test("who has it already is told so", async () => {
  const tag = (await dashboardFile("/"))?.headers.get("etag") ?? "";
  expect(tag).toMatch(/^"\w+"$/);
  expect((await dashboardFile("/", `"other", W/${tag}`))?.status).toBe(304);
  expect((await dashboardFile("/", '"other"'))?.status).toBe(200);
});

test("other paths are not its own, and a file that is not there is not found", async () => {
  for (const path of ["/v1/status", "/metrics", "/healthz", "/docs/errors.md", "/../package.json", "/a/b.js"]) {
    expect(dashboardFile(path)).toBeNull();
  }
  expect((await dashboardFile("/none.js"))?.status).toBe(404);
});
