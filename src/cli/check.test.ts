import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = `const { check } = await import(${JSON.stringify(join(import.meta.dir, "check.ts"))}); process.exitCode = await check(process.argv.slice(1));`;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-check-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, "-e", MAIN, ...args], { cwd: folder, stdout: "pipe", stderr: "pipe" });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { status, out, err };
}

test("a good file exits 0 with a summary", async () => {
  await Bun.write(
    join(folder, "good.yaml"),
    'listeners: { web: { address: ":8080", pool: app } }\npools: { app: { backends: [":8001"] } }\n',
  );
  const { status, out, err } = await run("good.yaml");
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(out).toStartWith("good.yaml is good\n\nlisteners\n  web  http  :8080\n    everything → app\n");
});

test("a wrong file exits 1 with every problem on stderr, without colour where no terminal is", async () => {
  await Bun.write(
    join(folder, "wrong.yaml"),
    'listeners: { web: { address: ":x", pool: app } }\npools: { app: { backends: [":8001"], weight: 1 } }\n',
  );
  const { status, out, err } = await run("wrong.yaml");
  expect({ status, out }).toEqual({ status: 1, out: "" });
  expect(err).toBe(
    [
      'wrong.yaml:1:30 listeners.web.address  CONFIG_BAD_ADDRESS  ":x" is no address: the port must be a number from 0 to 65535, not "x" → Use host:port, :port, [ipv6]:port, http://host:port or unix:/path.',
      'wrong.yaml:2:38 pools.app.weight  CONFIG_UNKNOWN_KEY  there is no key "weight" here; it belongs in a backend → Use one of policy, backends, affinity, health, slowStart, retry, hedge, timeouts, limits.',
      "",
    ].join("\n"),
  );
});

test("without a file, the default file of the folder is read", async () => {
  expect((await run()).err).toStartWith(
    "CONFIG_FILE_MISSING  there is no configuration in this folder; looked for weir.config.ts, ",
  );
  await Bun.write(join(folder, "weir.config.json"), '{ "listeners": {}, "pools": {} }');
  expect((await run()).err).toBe(
    "weir.config.json:1:3 listeners  CONFIG_MISSING_KEY  there is no listener → Add at least one.\n",
  );
});

test("of many problems the first are told and how many more there are, and with --all each", async () => {
  const backends = Array.from({ length: 30 }, (_, i) => `":x${i}"`).join(", ");
  await Bun.write(
    join(folder, "many.yaml"),
    `listeners: { web: { address: ":1", pool: app } }\npools: { app: { backends: [${backends}] } }\n`,
  );
  const { status, out, err } = await run("many.yaml");
  expect({ status, out }).toEqual({ status: 1, out: "" });
  const lines = err.trimEnd().split("\n");
  expect(lines.slice(-2)).toEqual([expect.stringContaining('":x19"'), "… and 10 more; --all shows all"]);
  expect(lines).toHaveLength(21);
  const all = await run("many.yaml", "--all");
  expect(all.status).toBe(1);
  expect(all.err.trimEnd().split("\n")).toHaveLength(30);
});
