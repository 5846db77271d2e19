import { expect, test } from "bun:test";
import { FakeAdmin } from "../fixtures/fake-admin.ts";
import { WeirTerminal } from "../fixtures/terminal.ts";
import { numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { weir } from "../fixtures/weir-process.ts";

const UP = "\u001b[A";
const DOWN = "\u001b[B";

function fake(): FakeAdmin {
  return new FakeAdmin({ app: ["10.0.0.1:80", "10.0.0.2:80"], api: ["10.1.0.1:80"], empty: [] }, 100);
}

function topOf(admin: FakeAdmin, columns = 110, rows = 30): WeirTerminal {
  return new WeirTerminal(["top", "--admin", admin.url.replace("http://", "")], columns, rows);
}

test("shows pools, backends, rates, states and events, and keeps up", async () => {
  await using admin = fake();
  await using top = topOf(admin);
  await top.sees(/10\.1\.0\.1:80/);
  admin.tick();
  admin.tick();
  const screen = await top.sees(/app {2}round-robin · 2\/2 work · [1-9]\d*\/s/);
  expect(screen).toMatch(/● up +10\.0\.0\.1:80/);
  expect(screen).toMatch(/50 %/);
  expect(screen).toMatch(/[▁▂▃▄▅▆▇█]/);
  expect(screen).toContain("no backends");
  const [backend] = admin.pools[0]?.backends ?? [];
  if (backend === undefined) throw new Error("it has one");
  admin.turn(backend, "down", "3 probes failed");
  admin.tick();
  await top.sees(/● down +10\.0\.0\.1:80/);
  await top.sees(/backend down {2}app\/10\.0\.0\.1:80 3 probes failed/);
});

test("arrows choose a backend, d drains it, r makes it ready, + and - weigh it", async () => {
  await using admin = fake();
  await using top = topOf(admin);
  await top.sees(/▸ ● up +10\.0\.0\.1:80/);
  top.press(DOWN);
  await top.sees(/▸ ● up +10\.0\.0\.2:80/);
  top.press("d");
  await top.sees(/app\/10\.0\.0\.2:80: drain/);
  admin.tick();
  await top.sees(/▸ ● drain +10\.0\.0\.2:80/);
  top.press("r");
  await top.sees(/app\/10\.0\.0\.2:80: ready/);
  top.press("+");
  await top.sees(/app\/10\.0\.0\.2:80: weight 2/);
  admin.tick();
  await top.sees(/▸ ● up +10\.0\.0\.2:80 +2 /);
  top.press("-");
  await top.sees(/app\/10\.0\.0\.2:80: weight 1/);
  top.press(UP + UP + UP);
  await top.sees(/▸ ● up +10\.0\.0\.1:80/);
  expect(admin.patches.map(({ patch }) => patch)).toEqual([
    { state: "drain" },
    { state: "ready" },
    { weight: 2 },
    { weight: 1 },
  ]);
  expect(new Set(admin.patches.map(({ path }) => path))).toEqual(new Set(["/v1/pools/app/backends/10.0.0.2%3A80"]));
});

test("a key that is pressed faster than the view is told counts each time", async () => {
  await using admin = fake();
  await using top = topOf(admin);
  await top.sees(/▸ ● up +10\.0\.0\.1:80/);
  top.press("+++-+");
  await top.sees(() => admin.patches.length === 5);
  await top.sees(/app\/10\.0\.0\.1:80: weight 4/);
  expect(admin.patches.map(({ patch }) => patch.weight)).toEqual([2, 3, 4, 3, 4]);
  admin.tick();
  await top.sees(/▸ ● up +10\.0\.0\.1:80 +4 /);
});

test("what was refused is said", async () => {
  await using admin = fake();
  await using top = topOf(admin);
  await top.sees(/▸ ● up +10\.0\.0\.1:80/);
  admin.pools[0]?.backends.shift(); // gone, and the view does not know yet
  top.press("d");
  await top.sees(/was not changed: there is no backend "10\.0\.0\.1:80"/);
});

test("it goes along with the size of the terminal, and no line is wider", async () => {
  await using admin = fake();
  await using top = topOf(admin, 160, 40);
  await top.sees(/P90, \d+ S/);
  for (const [columns, rows] of [
    [60, 20],
    [38, 8],
    [20, 5],
    [120, 30],
  ] as const) {
    top.resize(columns, rows);
    admin.tick();
    // What was drawn for the size before may still be on its way.
    await top.sees((screen) => {
      const lines = screen.split("\n");
      const fits = lines.every((line) => Bun.stringWidth(line) <= columns);
      return fits && lines.length === rows && /choose/.test(lines.at(-1) ?? "") && /Weir/.test(lines[0] ?? "");
    });
  }
});

test.each(["q", "\u0003", "\u001b"])("key %j ends it, and the terminal is as it was", async (key) => {
  await using admin = fake();
  await using top = topOf(admin);
  await top.sees(/10\.1\.0\.1:80/);
  expect(top.raw).toContain("\u001b[?1049h");
  top.press(key);
  expect(await top.exited).toBe(0);
  expect(top.raw.endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l")).toBe(true);
});

test("a signal ends it as q does", async () => {
  await using admin = fake();
  await using top = topOf(admin);
  await top.sees(/10\.1\.0\.1:80/);
  process.kill(top.pid, "SIGTERM");
  expect(await top.exited).toBe(0);
  expect(top.raw).toContain("\u001b[?1049l");
});

test("the API gone is said, and it comes back by itself", async () => {
  await using admin = fake();
  await using top = topOf(admin);
  await top.sees(/running · generation 1/);
  await admin.down();
  await top.sees(/lost: nothing answers at 127\.0\.0\.1:\d+; it is tried again/);
  admin.up();
  await top.sees(/running · generation 1/);
});

test("names are shown, not obeyed", async () => {
  const evil = "unix:/run/\u001b[2J\u0007x.sock";
  await using admin = new FakeAdmin({ app: [evil] });
  await using top = topOf(admin);
  await top.sees(/unix:\/run\/�\[2J�x\.sock/);
});

test("without a token that is needed it says so and leaves the terminal alone", async () => {
  await using admin = fake();
  admin.token = "a token of the tests";
  await using top = topOf(admin);
  expect(await top.exited).not.toBe(0);
  expect(top.raw).toContain("ADMIN_UNAUTHORIZED");
  expect(top.raw.indexOf("\u001b[?1049l")).toBeLessThan(top.raw.indexOf("ADMIN_UNAUTHORIZED"));
});

test("without a terminal it says what to use instead", async () => {
  await using top = weir(["top"]);
  expect((await top.exited).code).not.toBe(0);
  expect(top.stderr).toContain("it needs a terminal");
});

test("a real Weir, by its unix socket: a backend is drained by key, and made ready", async () => {
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  using folder = temporaryFolder();
  const admin = `unix:${folder.path}/admin.sock`;
  await using running = weir(["serve", "--listen", "127.0.0.1:0", "--to", one, "--to", two, "--admin", admin]);
  await running.event("admin bound");
  await using top = new WeirTerminal(["top", "--admin", admin], 120, 30);
  await top.sees(new RegExp(`▸ ● up +${one}`));
  await top.sees(/running · generation 1/);
  top.press("d");
  await top.sees(new RegExp(`▸ ● drain +${one}`));
  await top.sees(/generation 2/);
  top.press("r");
  await top.sees(new RegExp(`▸ ● (up|ramp) +${one}`)); // it may begin slowly
  top.press("+");
  await top.sees(new RegExp(`▸ ● (up|ramp) +${one} +2 `));
  top.press("q");
  expect(await top.exited).toBe(0);
});
