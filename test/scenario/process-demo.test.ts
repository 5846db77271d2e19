import { expect, test } from "bun:test";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { WeirTerminal } from "../fixtures/terminal.ts";
import { childrenOf, gone, weir } from "../fixtures/weir-process.ts";

const FREE = ["demo", "--listen", "127.0.0.1:0", "--backends", "0,0,0", "--admin", "127.0.0.1:0"];
const FREE_PORTS = [...FREE, "--workers", "2"];

test("the demo spreads requests evenly, shows it, and Ctrl-C leaves nothing", async () => {
  await using demo = weir(FREE_PORTS, { group: true });
  const address = await demo.address("web");
  await demo.line(/^Weir on http:\/\/127\.0\.0\.1:\d+, least connections over /);
  const answers: string[] = [];
  for (let i = 0; i < 30; i++) answers.push(await get(address)); // an idle pool is served in turn
  const count = (backend: number): number => answers.filter((text) => text.startsWith(`backend ${backend} `)).length;
  expect([count(1), count(2), count(3)]).toEqual([10, 10, 10]);
  expect(await demo.line(/total 30$/)).toMatch(/req\/s/);

  const workers = childrenOf(demo.pid);
  expect(workers.length).toBe(2);
  demo.signal("SIGINT", true);
  expect(await demo.exited).toEqual({ code: 0, signal: null });
  await Promise.all(workers.map(gone));
});

test("a port taken for a backend is named, with how to choose others", async () => {
  await using taken = numberedBackends(1);
  const port = taken.addresses[0]?.split(":")[1] ?? "";
  await using demo = weir(["demo", "--listen", "127.0.0.1:0", "--backends", `0,${port}`]);
  expect(await demo.exited).toEqual({ code: 1, signal: null });
  expect(demo.stderr).toContain(`port ${port}`);
  expect(demo.stderr).toContain("--backends");
});

test("a port taken for Weir is named, with how to choose another", async () => {
  await using taken = numberedBackends(1);
  const [address = ""] = taken.addresses;
  await using demo = weir(["demo", "--listen", address, "--backends", "0,0,0", "--admin", "off"]);
  expect(await demo.exited).toEqual({ code: 1, signal: null });
  expect(demo.stderr).toContain(`port ${address.split(":")[1]} is taken`);
  expect(demo.stderr).toContain("--listen");
});

test.each(["", "a,b", "1,,2", "70000"])("--backends %p is refused", async (ports) => {
  await using demo = weir(["demo", `--backends=${ports}`]);
  expect(await demo.exited).toEqual({ code: 1, signal: null });
  expect(demo.stderr).toContain("--backends takes ports");
});

test("it says where its dashboard is, and that is there", async () => {
  await using demo = weir(FREE_PORTS);
  const line = await demo.line(/^Dashboard on http:\/\/127\.0\.0\.1:\d+\//);
  const [url = ""] = /http:\S+\//.exec(line) ?? [];
  expect(await (await fetch(url)).text()).toContain("<title>Weir</title>");
});

test("steps slow a backend, stop it and start it again, and the spread follows", async () => {
  // Long enough for a second without a stop of the machine, and for probes to tell of the one that is gone.
  await using demo = weir([...FREE_PORTS, "--traffic", "60", "--play", "0s:slow:2,5s:fast:2,5s:stop:1,12s:start:1"]);
  await demo.line(/^── backend 2 \(:\d+\) is slow now/);
  // A third of 60 without it; it answers some three a second.
  const slowed = await demo.line(/req\/s +\|.*\| +:\d+ +[2-8] +\d+ %/);
  expect(slowed).toMatch(/req\/s/);
  await demo.line(/^── backend 1 \(:\d+\) has stopped/);
  await demo.line(/req\/s +\| +:\d+ +0 +0 %/);
  await demo.line(/^── backend 1 \(:\d+\) runs again/);
  await demo.event("backend up", { pool: "demo" });
}, 60_000);

test("keys do the same in a terminal, traffic comes by itself, and q ends it", async () => {
  await using demo = new WeirTerminal(FREE_PORTS, 180, 50);
  await demo.sees(/Keys: 1–3 choose a backend/);
  await demo.sees(/ [45]\d req\/s/);
  demo.press("3");
  await demo.sees(/── backend 3 \(:\d+\) is chosen/);
  demo.press("s");
  await demo.sees(/── backend 3 \(:\d+\) is slow now/);
  demo.press("x");
  await demo.sees(/── backend 3 \(:\d+\) has stopped/);
  demo.press("x");
  await demo.sees(/── backend 3 \(:\d+\) runs again/);
  demo.press("t");
  await demo.sees(/── nothing is sent any more/);
  demo.press("q");
  expect(await demo.exited).toBe(0);
});

test.each(["3s", "3s:burn:1", "3s:slow:4", "x:slow:1", "3s:slow:1:1"])("--play %p is refused", async (steps) => {
  await using demo = weir([...FREE_PORTS, "--play", steps]);
  expect(await demo.exited).toEqual({ code: 1, signal: null });
  expect(demo.stderr).toContain("--play takes steps");
});
