import { expect, test } from "bun:test";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { childrenOf, gone, weir } from "../fixtures/weir-process.ts";

const FREE_PORTS = ["demo", "--listen", "127.0.0.1:0", "--backends", "0,0,0", "--workers", "2"];

test("the demo spreads requests evenly, shows it, and Ctrl-C leaves nothing", async () => {
  await using demo = weir(FREE_PORTS, { group: true });
  const address = await demo.address("web");
  await demo.line(/^Weir on http:\/\/127\.0\.0\.1:\d+, round robin over /);
  const answers = await Promise.all(Array.from({ length: 30 }, () => get(address)));
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
  await using demo = weir(["demo", "--listen", address, "--backends", "0,0,0"]);
  expect(await demo.exited).toEqual({ code: 1, signal: null });
  expect(demo.stderr).toContain(`port ${address.split(":")[1]} is taken`);
  expect(demo.stderr).toContain("--listen");
});

test.each(["", "a,b", "1,,2", "70000"])("--backends %p is refused", async (ports) => {
  await using demo = weir(["demo", `--backends=${ports}`]);
  expect(await demo.exited).toEqual({ code: 1, signal: null });
  expect(demo.stderr).toContain("--backends takes ports");
});
