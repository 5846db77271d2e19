import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BackendView, Status } from "../../src/admin/model.ts";
import type { Applied } from "../../src/admin/model-writes.ts";
import { get, numberedBackends, type NumberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { WeirTerminal } from "../fixtures/terminal.ts";
import { type AdminStage, adminStage, type AdminWeir, adminWeir } from "../fixtures/weir-admin.ts";
import { WEIR, weir } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(120_000);

let stage: AdminStage;
let servers: NumberedBackends;
let lb: AdminWeir;
let one: string;
let two: string;

const configOf = (backends: readonly string[]) => ({
  listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
  pools: { app: { backends } },
});

beforeAll(async () => {
  stage = await adminStage(3, (addresses) => configOf(addresses.slice(0, 2)));
  ({ lb, servers } = stage);
  [one = "", two = ""] = servers.addresses;
});

afterAll(() => stage[Symbol.asyncDispose]());

async function json<T>(args: readonly string[]): Promise<T> {
  const { code, out, error } = await lb.call([...args, "--json"]);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  return JSON.parse(out) as T;
}

async function text(...args: string[]): Promise<string> {
  const { code, out, error } = await lb.call(args);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  // No colour where there is no terminal.
  expect(out).not.toContain("\x1b");
  return out;
}

test("status and backends, for people and for programs", async () => {
  expect(await text("status")).toMatch(/^state +running/);
  expect(await json<Status>(["status"])).toMatchObject({ phase: "running", backends: { total: 2, up: 2 } });
  const table = (await text("backends")).split("\n");
  expect(table[0]).toStartWith("BACKEND");
  expect(table.slice(1).map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
    [`app/${one}`, "up"],
    [`app/${two}`, "up"],
  ]);
  expect(await text("backends", "app", "--names")).toBe(`app/${one}\napp/${two}`);
  expect(await json<{ name: string }[]>(["backends", "app"])).toMatchObject([{ name: "app" }]);
});

test("a table of backends is no wider than its terminal, and as wide as it needs where there is none", async () => {
  const titles = async (width: number): Promise<string> => {
    await using terminal = new WeirTerminal(["backends", "--admin", lb.admin], width);
    await terminal.exited;
    const screen = await terminal.sees((shown) => shown.includes(two));
    for (const line of screen.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
    return (screen.split("\n")[0] ?? "").split(/ {2,}/).join(",");
  };
  const all = "BACKEND,STATE,SINCE,WEIGHT,SHARE,IN FLIGHT,REQ/S,P50,P99,WHY";
  expect(await titles(110)).toBe(all);
  expect(await titles(60)).toBe("BACKEND,STATE,IN FLIGHT,REQ/S,P99,WHY");
  expect((await text("backends")).split("\n")[0]?.split(/ {2,}/).join(",")).toBe(all);
});

test("drain, ready, maintenance, weight, add and remove", async () => {
  const state = async (): Promise<string[]> => {
    const [pool] = await json<{ backends: BackendView[] }[]>(["backends"]);
    return (pool?.backends ?? []).map(({ wantedState, weight }) => `${wantedState} ${weight}`);
  };
  expect(await text("drain", `app/${one}`)).toContain("~ backend");
  expect(await state()).toEqual(["drain 1", "ready 1"]);
  await text("maintenance", `app/${one}`);
  expect(await state()).toEqual(["maintenance 1", "ready 1"]);
  await text("ready", `app/${one}`);
  await text("weight", `app/${two}`, "7");
  expect(await state()).toEqual(["ready 1", "ready 7"]);
  expect(await text("weight", `app/${two}`, "7")).toBe("nothing has changed");
  await text("add", `app/${servers.addresses[2]},weight=2`);
  expect(await state()).toEqual(["ready 1", "ready 7", "ready 2"]);
  expect((await json<Applied>(["remove", `app/${servers.addresses[2]}`])).changes).toMatchObject([{ kind: "removed" }]);
  await text("weight", `app/${two}`, "1");
});

test("events are lines, and JSON for programs", async () => {
  expect(await text("events", "--once", "--recent", "1000")).toMatch(
    /^\d\d:\d\d:\d\d INFO {2}worker started worker=0/m,
  );
  const { out } = await lb.call(["events", "--once", "--json", "--recent", "1"]);
  expect(JSON.parse(out)).toMatchObject({ event: "admin write", level: "info" });
});

test("events come as they happen, and end with Weir", async () => {
  using own = temporaryFolder();
  const ending = await adminWeir(own.path, configOf([one]));
  await using running = ending.process;
  await using following = weir(["events", "--json", "--admin", ending.admin]);
  await following.line(/"admin bound"/);
  expect((await ending.call(["weight", `app/${one}`, "3"])).code).toBe(0);
  await following.line(/"admin write".*has weight 3/);
  expect((await ending.call(["stop", "--wait"])).code).toBe(0);
  expect((await running.exited).code).toBe(0);
  expect((await following.exited).code).toBe(0);
});

test("stop --now ends at once", async () => {
  using own = temporaryFolder();
  const ending = await adminWeir(own.path, configOf([one]));
  await using running = ending.process;
  const address = await running.address("web");
  void get(address, "/slow").catch(() => {});
  await servers.waiting;
  expect((await ending.call(["stop", "--now"])).code).toBe(0);
  expect((await running.exited).code).toBe(0);
});

test("exit statuses: 1 where it is refused or not understood, 3 where no Weir answers", async () => {
  const refused = await lb.call(["drain", "app/10.0.0.1:1"]);
  expect(refused.code).toBe(1);
  expect(refused.error).toContain("ADMIN_NOT_FOUND");
  expect((await lb.call(["drain", "app"])).code).toBe(1);
  expect((await lb.call(["weight", `app/${one}`, "many"])).code).toBe(1);
  expect((await lb.call(["add", "app/nowhere"])).error).toContain("CONFIG_BAD_ADDRESS");
  await using nobody = weir(["status", "--admin", "127.0.0.1:1"]);
  expect((await nobody.exited).code).toBe(3);
});

test.each([
  [["weight", "app/:1", "70000"], 'CLI_USAGE  the weight is a whole number from 0 to 65535, not "70000"; see '],
  [["weight", "app/:1"], "CLI_USAGE  the weight is a whole number from 0 to 65535, and is missing; see "],
  [["events", "--recent", "5000"], 'CLI_USAGE  --recent is a number from 0 to 1000, not "5000"; see '],
  [["status", "--admin", "x"], 'CONFIG_BAD_ADDRESS  "x" is no address: the port is missing → Use host:port, :port, '],
])("%j: what nobody can mean is refused before a Weir is asked", async (args, said) => {
  const command = Bun.spawn([WEIR, ...args], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  expect(await new Response(command.stderr).text()).toStartWith(`weir: ${said}`);
  expect(await command.exited).toBe(1);
});

test("reload says what changed, and --dry-run and check --diff what would", async () => {
  const before = readFileSync(lb.file, "utf8");
  const config = JSON.parse(before) as { pools: { app: { policy?: string } } };
  config.pools.app.policy = "random";
  writeFileSync(lb.file, JSON.stringify(config));
  const { generation } = await lb.json<Status>("/v1/status");
  expect(await text("reload", "--dry-run")).toContain("~ pool app");
  expect(await text("check", "--diff")).toContain("~ pool app");
  expect(await text("check", lb.file, "--diff")).toContain("~ pool app");
  expect((await lb.json<Status>("/v1/status")).generation).toBe(generation);
  expect(await text("reload")).toContain(`generation ${generation + 1}`);
  writeFileSync(lb.file, before);
  await text("reload");
  const other = join(stage.folder.path, "other.json");
  writeFileSync(other, JSON.stringify({ ...(JSON.parse(before) as object), zone: "a" }));
  expect(await text("reload", other)).toContain("zone");
  expect((await lb.json<Status>("/v1/status")).configFile).toBe(other);
  await text("reload", lb.file);
});

test("drain --wait returns when nothing is under way, and under load no request fails", async () => {
  const address = await lb.process.address("web");
  const stop = new AbortController();
  let answered = 0;
  const failures: unknown[] = [];
  const user = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        const response = await fetch(`http://${address}/`);
        if (response.ok) answered += 1;
        else failures.push(response.status);
        await response.text();
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const users = Array.from({ length: 8 }, user);
  for (let round = 0; round < 3; round++) {
    for (const each of [one, two]) {
      const drained = await json<{ inFlight: number }>(["drain", `app/${each}`, "--wait", "--timeout", "20s"]);
      expect(drained.inFlight).toBe(0);
      await json(["ready", `app/${each}`]);
    }
  }
  stop.abort();
  await Promise.all(users);
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(100);
});

test("drain --timeout tells what is left", async () => {
  await using slow = numberedBackends(1);
  using own = temporaryFolder();
  const [address = ""] = slow.addresses;
  const waiting = await adminWeir(own.path, configOf([address, one]));
  await using running = waiting.process;
  const web = await running.address("web");
  const answer = get(web, "/slow").catch(() => "");
  const also = get(web, "/slow").catch(() => "");
  await slow.waiting;
  const { code, out } = await waiting.call(["drain", `app/${address}`, "--timeout", "100ms"]);
  expect([code, out]).toEqual([1, expect.stringContaining("still has 1 under way") as string]);
  const waited = waiting.call(["drain", `app/${address}`, "--wait"]);
  slow.release();
  servers.release();
  expect((await waited).code).toBe(0);
  await Promise.all([answer, also]);
});

test("what persists outlives a restart, which `weir check` and `weir status` show; what is for now does not", async () => {
  using own = temporaryFolder();
  const config = configOf([one, two]);
  {
    const first = await adminWeir(own.path, config);
    await using running = first.process;
    expect((await first.call(["weight", `app/${one}`, "5", "--persist"])).out).toContain("kept over restarts");
    expect((await first.call(["drain", `app/${two}`])).code).toBe(0);
    // A reload leaves both as they are.
    expect((await first.call(["reload"])).code).toBe(0);
    const wanted = (await first.json<{ backends: BackendView[] }>("/v1/pools/app")).backends;
    expect(wanted.map(({ wantedState, weight }) => `${wantedState} ${weight}`)).toEqual(["ready 5", "drain 1"]);
    expect((await first.call(["stop", "--wait"])).code).toBe(0);
    expect((await running.exited).code).toBe(0);
  }
  const second = await adminWeir(own.path, config);
  await using _running = second.process;
  const { backends } = await second.json<{ backends: BackendView[] }>("/v1/pools/app");
  expect(backends.map(({ wantedState, weight }) => `${wantedState} ${weight}`)).toEqual(["ready 5", "ready 1"]);
  const line = `app/${one} has weight 5`;
  expect((await second.call(["status"])).out).toContain(`${line} (kept over restarts)`);
  await using checked = weir(["check", second.file]);
  expect((await checked.exited).code).toBe(0);
  await checked.line(new RegExp(line.replaceAll(".", "\\.")));
  await checked.line(/weight 5/).catch(() => {});
});

test("an upgrade keeps what was set for now, and its API answers again", async () => {
  using own = temporaryFolder();
  const before = await adminWeir(own.path, { ...configOf([one, two]), admin: `unix:${join(own.path, "admin.sock")}` });
  await using running = before.process;
  expect((await before.call(["drain", `app/${one}`])).code).toBe(0);
  const { pid } = await before.json<Status>("/v1/status");
  const [, first = ""] = /^id: (\d+)$/m.exec(await (await before.ask("/v1/events?follow=false")).text()) ?? [];
  const { code, error } = await before.call(["upgrade"]);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect((await running.exited).code).toBe(0);
  await running.event("upgrade done");
  // It answers as soon as the command has returned.
  expect((await before.json<Status>("/v1/status")).pid).not.toBe(pid);
  // Whoever read of the old one has all of the new one still to read, though that has had more events by now.
  const events = async (fields: Readonly<Record<string, string>> = {}): Promise<string> =>
    (await before.ask("/v1/events?recent=1000&follow=false", "GET", undefined, fields)).text();
  expect(await events({ "last-event-id": first })).toBe(await events());
  const { backends } = await before.json<{ backends: BackendView[] }>("/v1/pools/app");
  expect(backends.map(({ wantedState }) => wantedState)).toEqual(["drain", "ready"]);
  expect((await before.call(["stop", "--wait"])).code).toBe(0);
});

test("a Weir that drains tells which connections it waits for", async () => {
  using own = temporaryFolder();
  await using backends = numberedBackends(1);
  const slow = await adminWeir(own.path, configOf(backends.addresses));
  await using running = slow.process;
  const open = get(await running.address("web"), "/slow");
  await backends.waiting;
  running.signal("SIGTERM");
  await running.event("drain begun");
  const { connections } = await slow.json<{ connections: { state: string }[] }>("/v1/connections");
  expect(connections.map(({ state }) => state)).toEqual(["active"]);
  const { listeners } = await slow.json<{ listeners: { connections: number }[] }>("/v1/listeners");
  expect(listeners[0]?.connections).toBe(1);
  backends.release();
  expect(await open).toBe("1");
  expect((await running.exited).code).toBe(0);
});

async function scriptFor(shell: string): Promise<string> {
  await using printing = weir(["completion", shell]);
  expect((await printing.exited).code).toBe(0);
  await printing.line(/(?!)/).catch(() => {}); // never comes: to the end of its output
  return printing.stdout;
}

test("bash completes commands, flags and backends", async () => {
  const script = (await scriptFor("bash")).replaceAll("weir backends", `${WEIR} backends --admin ${lb.admin}`);
  const complete = async (line: string): Promise<string[]> => {
    const program = `${script}
COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}
# As readline does: words are broken at spaces and colons.
COMP_WORDS=($COMP_LINE); [[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_weir; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const bash = Bun.spawn(["bash", "--norc", "-c", program], { cwd: stage.folder.path, stderr: "pipe" });
    expect(await new Response(bash.stderr).text()).toBe("");
    return (await new Response(bash.stdout).text())
      .trim()
      .split("\n")
      .filter((word) => word !== "")
      .sort();
  };
  expect(await complete("weir dr")).toEqual(["drain"]);
  expect(await complete("weir re")).toEqual(["ready", "reload", "remove", "renew"]);
  expect(await complete("weir drain --w")).toEqual(["--wait"]);
  expect(await complete("weir drain app/")).toEqual([`app/${one}`, `app/${two}`].sort());
  // What stands before the last colon is there already.
  expect(await complete(`weir drain app/${one.slice(0, -1)}`)).toEqual([one.split(":")[1] ?? ""]);
  expect(await complete("weir backends ")).toEqual(["app"]);
  expect(await complete("weir completion z")).toEqual(["zsh"]);
});

test("zsh and fish have scripts that name every command", async () => {
  for (const shell of ["zsh", "fish"]) {
    const script = await scriptFor(shell);
    for (const command of ["serve", "drain", "backends", "completion"]) expect(script).toContain(command);
    if (Bun.which(shell) !== null) expect(Bun.spawnSync([shell, "-n", "-c", script]).exitCode).toBe(0);
  }
  await using unknown = weir(["completion", "csh"]);
  expect((await unknown.exited).code).toBe(1);
});
