import { expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { WEIR, weir, type WeirProcess } from "../fixtures/weir-process.ts";

const SYSTEM_PATH = { PATH: "/usr/bin:/bin" };

async function refused(args: readonly string[]): Promise<string> {
  await using call = weir(args);
  expect(await call.exited).toEqual({ code: 1, signal: null });
  expect(call.stderr).not.toContain("    at "); // no stack
  return call.stderr;
}

async function status(call: WeirProcess): Promise<number | null> {
  return (await call.exited).code;
}

test("bin/weir works from any folder and with the system's own PATH only", async () => {
  await using call = weir(["--version"], { cwd: "/", env: SYSTEM_PATH });
  expect(await call.line(/^weir \d+\.\d+\.\d+ /)).toContain("Bun");
  expect(await status(call)).toBe(0);
});

test("bin/weir works through symbolic links, absolute and relative", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  mkdirSync(join(path, "a folder/bin"), { recursive: true });
  symlinkSync(WEIR, join(path, "a folder/weir-link"));
  symlinkSync("../weir-link", join(path, "a folder/bin/weir"));
  for (const command of [join(path, "a folder/bin/weir"), "./weir"]) {
    await using call = weir(["--version"], { command: [command], cwd: join(path, "a folder/bin"), env: SYSTEM_PATH });
    expect(await status(call)).toBe(0);
  }
});

test("bin/weir finds the runtime that a parent folder's node_modules holds", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const root = dirname(dirname(WEIR));
  mkdirSync(join(path, "app/node_modules/weir"), { recursive: true });
  mkdirSync(join(path, "app/node_modules/.bin"));
  for (const part of ["bin", "src", "package.json"])
    cpSync(join(root, part), join(path, "app/node_modules/weir", part), { recursive: true });
  symlinkSync(join(root, "node_modules/bun"), join(path, "app/node_modules/bun"));
  symlinkSync("../weir/bin/weir", join(path, "app/node_modules/.bin/weir"));
  await using call = weir(["--version"], {
    command: [join(path, "app/node_modules/.bin/weir")],
    cwd: path,
    env: SYSTEM_PATH,
  });
  expect(await status(call)).toBe(0);
});

test("bin/weir takes the system's own build where the install script of the runtime did not run", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const root = dirname(dirname(WEIR));
  for (const part of ["bin", "src", "package.json"]) cpSync(join(root, part), join(path, part), { recursive: true });
  mkdirSync(join(path, "node_modules/bun/bin"), { recursive: true });
  mkdirSync(join(path, "node_modules/@oven/bun-here/bin"), { recursive: true });
  writeFileSync(join(path, "node_modules/bun/bin/bun.exe"), "echo placeholder\nexit 1\n");
  chmodSync(join(path, "node_modules/bun/bin/bun.exe"), 0o755);
  symlinkSync(process.execPath, join(path, "node_modules/@oven/bun-here/bin/bun"));
  await using call = weir(["--version"], { command: [join(path, "bin/weir")], cwd: "/", env: SYSTEM_PATH });
  expect(await call.line(/^weir/)).toContain("weir");
  expect(await status(call)).toBe(0);
});

test("before set-up, bin/weir says what to run", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  cpSync(dirname(WEIR), join(path, "bin"), { recursive: true });
  await using call = weir(["serve"], { command: [join(path, "bin/weir")], cwd: "/", env: SYSTEM_PATH });
  expect(await status(call)).toBe(1);
  expect(call.stderr).toContain("npm ci");
  expect(call.stderr).toContain(path);
});

test("settings for other programs in the working folder are left alone", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  writeFileSync(join(path, "bunfig.toml"), 'preload = ["./missing.ts"]\n');
  writeFileSync(join(path, ".env"), "WEIR_FFI=off\n");
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? ""], { cwd: path });
  expect(await get(await lb.address())).toBe("1");
});

test("a command or flag that does not exist is answered with the nearest one that does", async () => {
  expect(await refused(["sreve"])).toContain('did you mean "serve"?');
  expect(await refused(["serve", "--lisen", ":80"])).toContain('did you mean "--listen"?');
  expect(await refused(["--listen", ":80"])).toContain("weir serve");
  expect(await refused(["demo", "extra"])).toContain('"extra"');
});

test.each([
  [["serve", "--listen"], "--listen needs a value"],
  [["serve", "--listen", "--to", ":1"], "--listen needs a value"],
  [["serve", "--listen", ":0"], "--to"],
  [["serve", "--to", ":1"], "--listen"],
  [["serve", "weir.yaml", "--listen", ":0", "--to", ":1"], "exclude each other"],
  [["serve", "a.yaml", "b.yaml"], "b.yaml"],
  [["serve", "--mode", "tcp"], "--mode"],
  [["serve", "--listen", ":0", "--to", ":1", "--mode", "tcp", "--mode", "http"], "--mode is given twice"],
  [["worker"], "weir serve"],
] as const)("a command line that makes no sense: %p", async (args, says) => {
  const said = await refused(args);
  expect(said).toContain("CLI_USAGE");
  expect(said).toContain(says);
});

test("what is wrong with values names the flags, all at once", async () => {
  const said = await refused(
    "serve --listen :99999 --to foo --policy round-robbin --mode htp --workers some --admin x".split(" "),
  );
  const flags = said.split("\n").map((line) => line.split(" ")[0]);
  expect(new Set(flags)).toEqual(new Set(["--admin", "--listen", "--mode", "--policy", "--to", "--workers"]));
  expect(said).toContain('did you mean "round-robin"?');
});

test("help is for every command and names every policy", async () => {
  await using all = weir(["--help"]);
  expect(await all.line(/weir serve/)).toContain("--listen");
  expect(await status(all)).toBe(0);
  await using serve = weir(["serve", "--help"]);
  expect(await serve.line(/--policy/)).toContain("round-robin, random, least-connections, two-choices, first");
  expect(await status(serve)).toBe(0);
  await using demo = weir(["help", "demo"]);
  expect(await demo.line(/--backends/)).toContain("8001,8002,8003");
  expect(await status(demo)).toBe(0);
});

test("the number of workers may be given beside a file", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const file = {
    listeners: { web: { address: "127.0.0.1:0", pool: "p" } },
    pools: { p: { backends: [":1"] } },
    workers: 1,
  };
  writeFileSync(join(path, "weir.config.json"), JSON.stringify(file));
  await using lb = weir(["serve", "weir.config.json", "--workers", "2"], { cwd: path });
  expect(await lb.event("worker started", { worker: 1 })).toMatchObject({ level: "info" });
});
