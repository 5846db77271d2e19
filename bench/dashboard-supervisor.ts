/**
 * What an hour of the dashboard costs the supervisor, in some minutes: a real Weir with 500 backends in 40 pools, 58 readers of both streams
 * beside two browsers for a minute (an hour of ticks to one), and 3,600 changes of a backend, each an event and a shape to all. Prints its memory
 * and its CPU. `node_modules/.bin/bun bench/dashboard-supervisor.ts [CHANGES] [SECONDS]`; needs Chromium and Linux.
 */
import { readFileSync } from "node:fs";
import { hasBrowser, Page } from "../test/fixtures/browser.ts";
import { temporaryFolder } from "../test/fixtures/temporary-folder.ts";
import { weir } from "../test/fixtures/weir-process.ts";

const changes = Number(process.argv[2] ?? 3600);
const seconds = Number(process.argv[3] ?? 60);
const READERS = 58;
if (!hasBrowser()) process.exit(0);

const pools = Array.from({ length: 40 }, (_, p) => [
  `pool-${p}`,
  { backends: Array.from({ length: p === 0 ? 110 : 10 }, (_each, b) => `127.0.${p + 1}.${b + 1}:9`) },
]);
using folder = temporaryFolder();
const file = `${folder.path}/weir.config.json`;
await Bun.write(
  file,
  JSON.stringify({
    listeners: { main: { address: "127.0.0.1:0", pool: "pool-0" } },
    pools: Object.fromEntries(pools),
    admin: "127.0.0.1:0",
    workers: 1,
  }),
);
await using running = weir(["serve", file], { admin: true });
const url = `http://${String((await running.event("admin bound"))["address"])}`;

function rssMiB(): string {
  const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${running.pid}/status`, "utf8")) ?? [];
  return `${(Number(kib) / 1024).toFixed(0)} MiB`;
}

/** CPU since its start, in milliseconds (proc(5): fields 14 and 15, in hundredths of a second). */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${running.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function ticking(what: string): Promise<void> {
  const before = cpuMs();
  await Bun.sleep(seconds * 1000);
  console.log(`${what}: ${rssMiB()}, ${((cpuMs() - before) / seconds).toFixed(1)} ms of CPU a second`);
}

await ticking("nobody looks");
const pages = [await Page.open(url), await Page.open(url, { width: 390 })];
await ticking("two browsers");
const readers = Array.from({ length: READERS }, (_, i) => fetch(`${url}/v1/${i % 2 === 0 ? "live" : "events"}`));
const streams = await Promise.all(readers);
for (const { body } of streams) {
  // Read and forgotten, until Weir ends.
  void body?.pipeTo(new WritableStream()).catch(() => {});
}
await ticking(`two browsers and ${READERS} other readers`);
for (let change = 1; change <= changes; change++) {
  const pool = change % 40;
  await fetch(`${url}/v1/pools/pool-${pool}/backends/${encodeURIComponent(`127.0.${pool + 1}.1:9`)}`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ state: Math.floor(change / 40) % 2 === 0 ? "drain" : "ready" }),
  }).then((response) => response.arrayBuffer());
  if (change % Math.max(1, Math.floor(changes / 6)) === 0) console.log(`${change} changes: ${rssMiB()}`);
}
await ticking("after them");
for (const page of pages) await page[Symbol.asyncDispose]();
await running[Symbol.asyncDispose]();
process.exit(0);
