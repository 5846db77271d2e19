import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { weir } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The sections of a unit file (systemd.syntax(7)), each key with its values in order. */
async function unit(name: string): Promise<Record<string, Record<string, string[]>>> {
  const sections: Record<string, Record<string, string[]>> = {};
  let section: Record<string, string[]> | undefined;
  for (const [i, line] of (await Bun.file(`${root}/examples/systemd/${name}`).text()).split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [, title] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (title !== undefined) {
      section = sections[title] = {};
      continue;
    }
    const [, key, value] = /^([A-Z][A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined || section === undefined) throw new Error(`${name}:${i + 1}: ${line}`);
    (section[key] ??= []).push(value);
  }
  return sections;
}

test("the unit starts what there is, tells systemd what Weir tells, and gives a drain its time", async () => {
  const { Service, Install } = await unit("weir.service");
  expect(Service?.["Type"]).toEqual(["notify"]);
  expect(Service?.["ExecReload"]).toEqual(["/bin/kill -HUP $MAINPID"]);
  expect(Service?.["NotifyAccess"]).toEqual(["all"]);
  expect(Number(Service?.["TimeoutStopSec"]?.[0])).toBeGreaterThan(30);
  expect(Install?.["WantedBy"]).toEqual(["multi-user.target"]);
  for (const key of ["ExecStartPre", "ExecStart"]) {
    const [program = "", command = ""] = Service?.[key]?.[0]?.split(" ") ?? [];
    expect(program).toEndWith("/.bin/weir");
    await using help = weir([command, "--help"]);
    expect(await help.exited).toEqual({ code: 0, signal: null });
  }
});

test("the socket unit has an address that a listener may have", async () => {
  const { Socket } = await unit("weir.socket");
  expect(Socket?.["ListenStream"]).toEqual(["0.0.0.0:80"]);
});

test("systemd finds nothing wrong with the units", async () => {
  const analyze = Bun.which("systemd-analyze");
  if (analyze === null) return; // not on every machine
  const { stderr } = Bun.spawnSync([analyze, "verify", `${root}/examples/systemd/weir.socket`]);
  // Where it is to be installed nothing is here.
  const lines = stderr.toString().split("\n");
  expect(lines.filter((line) => line.includes("/weir.s") && !line.includes("is not executable"))).toEqual([]);
});

test("the Dockerfile copies what is there, does not run as root, and hands signals to Weir", async () => {
  const text = await Bun.file(`${root}/examples/docker/Dockerfile`).text();
  const steps = text.split("\n").filter((line) => /^[A-Z]+ /.test(line));
  const of = (name: string): string[] =>
    steps.filter((step) => step.startsWith(`${name} `)).map((s) => s.slice(name.length + 1));
  for (const step of of("COPY")) {
    const sources = step.split(" ").slice(0, -1);
    if (sources[0]?.startsWith("--from=") === true) continue;
    for (const source of sources) expect(existsSync(`${root}/${source}`)).toBe(true);
  }
  expect(of("USER")).toEqual(["weir"]);
  // Without a shell, which would keep signals to itself.
  expect(JSON.parse(of("ENTRYPOINT")[0] ?? "")).toEqual(["/opt/weir/bin/weir"]);
  expect(JSON.parse(of("CMD").at(-1) ?? "")).toEqual(["serve", "/etc/weir/weir.yaml"]);
});

test("what the Dockerfile copies is all that Weir reads: the dashboard and the table of errors too", async () => {
  using folder = temporaryFolder();
  const text = await Bun.file(`${root}/examples/docker/Dockerfile`).text();
  for (const [, sources = "", to = ""] of text.matchAll(/^COPY (?!--)(.*) (\S+)$/gm))
    for (const source of sources.split(" ")) {
      const target = to.endsWith("/") ? join(folder.path, to, basename(source)) : join(folder.path, to);
      cpSync(join(root, source), target, { recursive: true });
    }
  symlinkSync(join(root, "node_modules"), join(folder.path, "node_modules"));
  const admin = `unix:${folder.path}/admin.sock`;
  const flags = ["--listen", "127.0.0.1:0", "--to", ":1", "--workers", "1", "--admin", admin];
  await using lb = weir(["serve", ...flags], { command: [join(folder.path, "bin/weir")] });
  await lb.event("admin bound");
  for (const path of ["/", "/docs/errors.md", "/v1/openapi.json", "/metrics"])
    expect([path, (await fetch(`http://localhost${path}`, { unix: admin.slice(5) })).status]).toEqual([path, 200]);
});
