import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FakeAdmin } from "../fixtures/fake-admin.ts";
import { hasBrowser, Page } from "../fixtures/browser.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

const inBrowser = test.skipIf(!hasBrowser());

/** The source of axe-core, as an expression: the browser's protocol runs it, which the page's own policy would not. */
const AXE = `(() => { ${readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8")}\n; return true; })()`;

interface Violation {
  readonly id: string;
  readonly nodes: readonly string[];
}

/** Every state there is, with a word on each. */
async function busyFake(): Promise<FakeAdmin> {
  const fake = new FakeAdmin({
    app: ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80", "10.0.0.6:80", "10.0.0.7:80"],
    api: ["10.1.0.1:80"],
    ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`more-${i}`, [`10.2.0.${i}:80`]])),
  });
  const states = ["up", "starting", "ramp", "drain", "maintenance", "ejected", "down"] as const;
  fake.pools[0]?.backends.forEach((backend, i) => fake.turn(backend, states[i] ?? "up", "because it is so"));
  fake.event("error", "worker died", { worker: 1, signal: "SIGKILL" });
  return fake;
}

for (const scheme of ["dark", "light"] as const) {
  for (const width of [1280, 390]) {
    inBrowser(`axe-core finds nothing: ${scheme}, ${width} pixels wide`, async () => {
      await using fake = await busyFake();
      await using page = await Page.open(fake.url, { width, height: 1000, scheme });
      await page.until(`document.querySelectorAll("tbody tr").length === 7`);
      for (let i = 0; i < 4; i++) fake.tick();
      await page.get(`document.querySelector("tbody tr:last-child").scrollIntoView()`); // what is not in sight is told nothing
      await page.until(`document.querySelector('tr[data-state="down"] .why')?.textContent.includes("because")`);
      await page.click(`button[aria-label="Drain 10.0.0.1:80"]`);
      await page.until(`document.getElementById("said").textContent.includes("drain")`);
      await page.get(AXE);
      const violations = await page.get<Violation[]>(
        `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
          violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => html + " " + failureSummary) })))`,
      );
      expect(violations).toEqual([]);
      expect(await page.get<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      await page.picture(`dashboard-${scheme}-${width}`);
    });
  }
}

inBrowser("axe-core finds nothing where the API is gone, or asks for a token", async () => {
  await using fake = await busyFake();
  await using page = await Page.open(fake.url, { scheme: "light" });
  await page.until(`document.querySelectorAll("tbody tr").length === 7`);
  await fake.down();
  await page.until(`document.getElementById("lost").hidden === false`);
  await page.get(AXE);
  const look = (): Promise<string[]> =>
    page.get(`axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))`);
  expect(await look()).toEqual([]);
  await page.picture("dashboard-lost");
  fake.token = "a token of the tests";
  fake.up();
  await page.until(`document.getElementById("token").open`);
  expect(await look()).toEqual([]);
});

inBrowser("all of it can be reached by keyboard, and what has the focus is seen", async () => {
  await using fake = new FakeAdmin({ app: ["10.0.0.1:80"] });
  await using page = await Page.open(fake.url);
  await page.until(`document.querySelectorAll("tbody tr").length === 1`);
  const reached: string[] = [];
  for (let i = 0; i < 8; i++) {
    await page.press("Tab");
    reached.push(
      await page.get<string>(`(({ activeElement: at }) => {
        const style = getComputedStyle(at);
        return (at.id || at.getAttribute("aria-label") || at.textContent.slice(0, 12)) + (style.outlineStyle === "none" ? " unseen" : "");
      })(document)`),
    );
  }
  expect(reached).toEqual([
    "To the backe",
    "theme",
    "app1/10/s",
    "persist",
    "only-troubled",
    "Weight of 10.0.0.1:80",
    "Drain 10.0.0.1:80",
    "events",
  ]);
});

inBrowser("the colours can be chosen, and the choice holds", async () => {
  await using fake = new FakeAdmin({ app: ["10.0.0.1:80"] });
  await using page = await Page.open(fake.url, { scheme: "dark" });
  const background = (): Promise<string> => page.get("getComputedStyle(document.body).backgroundColor");
  const dark = await background();
  await page.scheme("light");
  const light = await background();
  expect(light).not.toBe(dark);
  await page.click("#theme");
  await page.until(`document.documentElement.dataset.theme === "dark"`);
  expect(await background()).toBe(dark);
  await page.reload();
  await page.until(`document.documentElement.dataset.theme === "dark"`);
  expect(await background()).toBe(dark);
});
