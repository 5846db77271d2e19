import { expect, setDefaultTimeout, test } from "bun:test";
import { hasBrowser, Page } from "../fixtures/browser.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { weir, type WeirProcess } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(120_000);

// The real program, real traffic and a real browser.
const inBrowser = test.skipIf(!hasBrowser());

/** A server that the test can end and begin again. */
class Backend implements AsyncDisposable {
  #server: Bun.Server<undefined>;
  readonly port: number;

  constructor() {
    this.#server = this.#serve(0);
    this.port = this.#server.port ?? 0;
  }

  get id(): string {
    return `127.0.0.1:${this.port}`;
  }

  #serve(port: number): Bun.Server<undefined> {
    return Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response("ok") });
  }

  async kill(): Promise<void> {
    await this.#server.stop(true);
  }

  revive(): void {
    this.#server = this.#serve(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

/** Requests one after another until it is left. */
function traffic(url: string): Disposable {
  const leaving = new AbortController();
  const left = leaving.signal;
  const run = async (): Promise<void> => {
    while (!left.aborted) {
      await fetch(url).then(
        (response) => response.arrayBuffer(),
        () => {},
      );
      await Bun.sleep(2); // the machine has other work
    }
  };
  for (let i = 0; i < 2; i++) void run();
  return { [Symbol.dispose]: () => leaving.abort() };
}

async function adminUrl(running: WeirProcess): Promise<string> {
  return `http://${String((await running.event("admin bound"))["address"])}`;
}

function cell(id: string, name: string): string {
  return `[...document.querySelectorAll("tbody tr")].find((row) => row.querySelector(".id").textContent === "${id}")?.querySelector("td.${name}").innerText`;
}

/** Whether a backend has about this share of the last second, in percent. */
function about(id: string, percent: number): string {
  return `(Math.abs(parseFloat(${cell(id, "share")}) - ${percent}) <= 3)`;
}

/** A configuration whose backends are probed so often that a test need not wait; those that are slow for some seconds, as this process may be, are not down. */
function configOf(backends: readonly Backend[]): string {
  return JSON.stringify({
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: {
      app: {
        backends: backends.map(({ id }) => id),
        health: {
          probe: { path: "/", interval: "200ms", timeout: "200ms", rise: 1, fall: 20 },
          passive: { eject: "1s" },
        },
        slowStart: "0s",
      },
    },
    admin: "127.0.0.1:0",
    workers: 1,
  });
}

inBrowser(
  "real traffic moves it; a drained backend's share falls to zero; a killed one turns red, and comes back",
  async () => {
    await using one = new Backend();
    await using two = new Backend();
    await using three = new Backend();
    using folder = temporaryFolder();
    const file = `${folder.path}/weir.config.json`;
    await Bun.write(file, configOf([one, two, three]));
    await using running = weir(["serve", file], { admin: true });
    const address = await running.address();
    await using page = await Page.open(await adminUrl(running));
    using _traffic = traffic(`http://${address}`);
    await page.until(`Number(document.getElementById("total-rate").textContent) > 0`);
    await page.until(about(one.id, 33));
    await page.until(`${cell(one.id, "state")} === "up"`);
    await page.until(`${cell(one.id, "probe")}?.endsWith("ms")`);

    await page.click(`button[aria-label="Drain ${two.id}"]`);
    await page.until(`${cell(two.id, "state")} === "drain" && ${cell(two.id, "share")} === "0 %"`);
    await page.until(about(one.id, 50));
    await page.picture("live-drained");

    await three.kill();
    await page.until(`${cell(three.id, "state")} === "down"`);
    const colour = await page.get<string>(
      `getComputedStyle(document.querySelector('tr[data-state="down"] span.state')).color`,
    );
    expect(colour).toBe("rgb(255, 123, 114)");
    await page.until(`${cell(three.id, "share")} === "0 %"`);
    await page.until(
      `[...document.querySelectorAll(".event b")].some((event) => event.textContent === "backend down")`,
    );
    await page.picture("live-killed");

    three.revive();
    await page.until(`${cell(three.id, "state")} === "up"`);
    await page.click(`button[aria-label="Ready ${two.id}"]`);
    await page.until(`${cell(two.id, "state")} === "up" && ${about(three.id, 33)}`);
    expect(await page.faults()).toEqual([]);
    expect(page.errors).toEqual([]);
  },
);

inBrowser("a weight moves the shares, and a reload that adds a backend shows it", async () => {
  await using one = new Backend();
  await using two = new Backend();
  await using three = new Backend();
  using folder = temporaryFolder();
  const file = `${folder.path}/weir.config.json`;
  await Bun.write(file, configOf([one, two]));
  await using running = weir(["serve", file], { admin: true });
  const address = await running.address();
  await using page = await Page.open(await adminUrl(running));
  using _traffic = traffic(`http://${address}`);
  await page.until(about(one.id, 50));
  await page.get(`document.querySelector('input[aria-label="Weight of ${one.id}"]').select()`);
  await page.type("3");
  await page.press("Enter");
  await page.until(about(one.id, 75));
  await Bun.write(file, configOf([one, two, three]));
  running.signal("SIGHUP");
  await page.until(`document.querySelectorAll("tbody tr").length === 3 && ${about(three.id, 20)}`);
  expect(await page.faults()).toEqual([]);
});
