/**
 * An hour of the dashboard in some minutes: 500 backends in 40 pools, 3,600 ticks and events sent as fast as two browsers take them. Prints
 * the memory of the pages and of the process that sends, every 600 ticks. `node_modules/.bin/bun bench/dashboard-hour.ts [TICKS]`; needs Chromium.
 */
import { hasBrowser, Page } from "../test/fixtures/browser.ts";
import { FakeAdmin } from "../test/fixtures/fake-admin.ts";

const ticks = Number(process.argv[2] ?? 3600);
if (!hasBrowser()) process.exit(0);

const pools = Array.from({ length: 40 }, (_, p) => [
  `pool-${p}`,
  Array.from({ length: p === 0 ? 110 : 10 }, (_each, b) => `10.0.${p}.${b}:8080`),
]);
await using fake = new FakeAdmin(Object.fromEntries(pools), 500);
const pages = [await Page.open(fake.url), await Page.open(fake.url, { width: 390, scheme: "light" })];
for (const page of pages) {
  await page.until(`document.querySelectorAll("tbody tr").length === 110`);
  await page.cdp("HeapProfiler.enable");
}

/** Live JavaScript of a page, and its elements, after a collection. */
async function pageMemory(page: Page): Promise<string> {
  await page.cdp("HeapProfiler.collectGarbage");
  const { usedSize } = (await page.cdp("Runtime.getHeapUsage")) as { usedSize: number };
  const elements = await page.get<number>(`document.querySelectorAll("*").length`);
  return `${(usedSize / 2 ** 20).toFixed(1)} MiB, ${elements} elements`;
}

console.log(`${ticks} ticks of 500 backends to two pages`);
for (let tick = 1; tick <= ticks; tick++) {
  const pool = fake.pools[tick % 40];
  const backend = pool?.backends[tick % 10];
  if (backend !== undefined && tick % 2 === 0) fake.turn(backend, backend.state === "up" ? "down" : "up", "it flaps");
  if (tick % 300 === 0) fake.reshape();
  fake.tick();
  // No faster than they take it: what waits in a socket is memory of nobody's fault.
  const last = String(fake.pools[0]?.requests ?? 0);
  await Promise.all(pages.map((page) => page.get(`new Promise((done) => setTimeout(done, 0, ${last}))`)));
  if (tick % Math.max(1, ticks / 6) !== 0) continue;
  Bun.gc(true);
  const memory: string[] = [];
  for (const page of pages) memory.push(await pageMemory(page));
  console.log(`${tick}: pages ${memory.join(" and ")}; sender ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`);
}
for (const page of pages) await page[Symbol.asyncDispose]();
await fake[Symbol.asyncDispose]();
process.exit(0);
