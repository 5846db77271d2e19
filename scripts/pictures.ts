/**
 * Draws the pictures of the README anew, from the demo as it runs: `node_modules/.bin/bun scripts/pictures.ts`. Takes 80 s; needs Chromium, and
 * the demo's own ports.
 */
import { fileURLToPath } from "node:url";
import { hasBrowser, Page } from "../test/fixtures/browser.ts";
import { WeirTerminal } from "../test/fixtures/terminal.ts";
import { weir } from "../test/fixtures/weir-process.ts";

const FOLDER = fileURLToPath(new URL("../docs/images/", import.meta.url));
const STEPS = "35s:slow:2,55s:fast:2,66s:stop:3";
/** Colours of a terminal by their numbers, dark enough below and light enough above. */
const INKS: Readonly<Record<string, string>> = {
  "1": "font-weight:600;color:#fff",
  "2": "color:#8b98a5",
  "7": "background:#d5dde5;color:#10161c",
  "31": "color:#ff7b72",
  "32": "color:#4cc38a",
  "33": "color:#e3b341",
  "34": "color:#6cb2ff",
  "35": "color:#b99aff",
  "36": "color:#3fc1c9",
};

if (!hasBrowser()) process.exit(1);
await using demo = weir(["demo", "--traffic", "160", "--play", STEPS, "--admin", "127.0.0.1:9900", "--workers", "2"]);
const [url = ""] = /http:\S+\//.exec(await demo.line(/^Dashboard on /)) ?? [];
await using page = await Page.open(url, { height: 800 });
await using top = new WeirTerminal(["top"], 118, 26);
await demo.line(/backend 3 .* has stopped/);
await page.until(`document.querySelector('tr[data-state="down"] .why')?.textContent !== ""`);
await Bun.sleep(3000); // the lanes are still on their way
await page.picture("dashboard-dark", FOLDER);
await page.scheme("light");
await Bun.sleep(1500);
await page.picture("dashboard-light", FOLDER);

const escaped = (text: string): string => Bun.escapeHTML(text);
const rows = top.inked.map((runs) =>
  runs.map(({ text, ink }) => `<span style="${INKS[ink] ?? ""}">${escaped(text)}</span>`).join(""),
);
const html = `<!doctype html><meta charset="utf-8"><style>body{margin:0;padding:18px 22px;background:#10161c;color:#d5dde5}
pre{margin:0;font:15px/20px "DejaVu Sans Mono",monospace}</style><pre>${rows.join("\n")}</pre>`;
using drawn = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: () => new Response(html, { headers: { "content-type": "text/html" } }),
});
await using terminal = await Page.open(String(drawn.url), { width: 1120, height: 26 * 20 + 36 });
await terminal.picture("top", FOLDER);
await top[Symbol.asyncDispose]();
await demo[Symbol.asyncDispose]();
process.exit(0); // the browser would go on
