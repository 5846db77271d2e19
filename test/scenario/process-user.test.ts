import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { childrenOf, weir } from "../fixtures/weir-process.ts";
import { systemAccounts } from "../../src/net/accounts.ts";

const ROOT = process.platform === "linux" && process.geteuid?.() === 0;
const NOBODY = systemAccounts.user("nobody");
if (!ROOT) console.log("process-user.test.ts: skipped where the tests do not run as root on Linux: dropping it");

/** What the system says of a process (proc_pid_status(5)): real, effective, saved and file system's ids, and all that it may. */
function rightsOf(pid: number): { readonly users: string; readonly groups: string; readonly capabilities: bigint[] } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim() ?? "";
  return {
    users: field("Uid").replaceAll("\t", " "),
    groups: `${field("Gid").replaceAll("\t", " ")} and ${field("Groups")}`,
    capabilities: ["CapPrm", "CapEff", "CapInh", "CapAmb"].map((name) => BigInt(`0x${field(name)}`)),
  };
}

/** A free port below 1024, which only root may listen on: one that no program of this machine has by chance. */
async function lowPort(): Promise<number> {
  for (let port = 1023; port > 512; port--) {
    const trial = createServer();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    trial.on("error", () => resolve(false));
    trial.listen(port, "127.0.0.1", () => trial.close(() => resolve(true)));
    if (await promise) return port;
  }
  throw new Error("no port below 1024 is free");
}

async function configFile(folder: string, config: object): Promise<string> {
  const file = `${folder}/weir.json`;
  await Bun.write(file, JSON.stringify({ workers: 2, admin: "off", ...config }));
  return file;
}

describe.if(ROOT)("started as root", () => {
  const { uid, gid } = NOBODY ?? { uid: -1, gid: -1 };
  const nobody = {
    users: `${uid} ${uid} ${uid} ${uid}`,
    groups: `${gid} ${gid} ${gid} ${gid} and `,
    capabilities: [0n, 0n, 0n, 0n],
  };

  test("workers run as the user, later ones too, behind a low port and a unix socket that the supervisor bound", async () => {
    using folder = temporaryFolder();
    await using backends = numberedBackends(1);
    const low = `127.0.0.1:${await lowPort()}`;
    const path = `${folder.path}/weir.sock`; // in a folder that is root's alone
    const file = await configFile(folder.path, {
      user: "nobody",
      listeners: { low: { address: low, pool: "app" }, local: { address: `unix:${path}`, pool: "app" } },
      pools: { app: { backends: backends.addresses, affinity: true, health: "tcp" } },
      stateFolder: `${folder.path}/state`,
    });
    await using lb = weir(["serve", file]);
    await lb.event("listener bound", { listener: "local" });
    expect(statSync(`${folder.path}/state/affinity-secret`).uid).toBe(0);
    const serves = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) expect(await get(low)).toBe("1");
      for (let i = 0; i < 4; i++) expect(await (await fetch("http://weir/", { unix: path })).text()).toBe("1");
    };
    expect(rightsOf(lb.pid).users).toBe("0 0 0 0");
    const workers = childrenOf(lb.pid);
    expect(workers.map(rightsOf)).toEqual([nobody, nobody]);
    await serves();

    const [victim = 0] = workers;
    process.kill(victim, "SIGKILL");
    const { pid } = await lb.event("worker replaced", { replaced: victim });
    expect(rightsOf(Number(pid))).toEqual(nobody);
    await serves();
    expect(lb.log.filter(({ level, event }) => level !== "info" && event !== "worker died")).toEqual([]);

    lb.signal("SIGTERM");
    expect(await lb.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(path)).toBe(false);
  });

  test("a group that is named takes the place of the user's own", async () => {
    using folder = temporaryFolder();
    const group = systemAccounts.group("daemon") ?? -1;
    const file = await configFile(folder.path, {
      user: "nobody",
      group: "daemon",
      listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
      pools: { app: { backends: [":1"] } },
    });
    await using lb = weir(["serve", file]);
    await lb.address("web");
    const ids = `${group} ${group} ${group} ${group} and `;
    expect(childrenOf(lb.pid).map((pid) => rightsOf(pid).groups)).toEqual([ids, ids]);
  });

  test("without a user one warning says that workers run as root; with one there is none", async () => {
    await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", ":1", "--workers", "1"]);
    await lb.event("worker started");
    const warnings = lb.log.filter(({ level }) => level === "warn");
    expect(warnings).toEqual([
      expect.objectContaining({ event: "workers run as root", mend: expect.stringContaining("user") }),
    ]);
    expect(childrenOf(lb.pid).map((pid) => rightsOf(pid).users)).toEqual(["0 0 0 0"]);
  });

  test("somebody else cannot name another user, and may name himself", async () => {
    using folder = temporaryFolder();
    chmodSync(folder.path, 0o755);
    const config = {
      listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
      pools: { app: { backends: [":1"] } },
    };
    const command = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "bin/weir"];
    const other = await configFile(folder.path, { ...config, user: "daemon" });
    await using refused = weir(["serve", other], { command });
    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.stderr).toContain('USER_NOT_PERMITTED  only root can start workers as the user "daemon"');

    const self = await configFile(folder.path, { ...config, user: "nobody" });
    await using lb = weir(["serve", self], { command });
    await lb.address("web");
    expect(childrenOf(lb.pid).map(rightsOf)).toEqual([nobody, nobody]);
  });
});

test("a user that the system does not have is told by `check` and at the start, with its line", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/weir.yaml`;
  const text = 'listeners: { web: { address: "127.0.0.1:0", pool: app } }\npools: { app: { backends: [":1"] } }\n';
  await Bun.write(file, `${text}user: no-such-user\ngroup: no-such-group\n`);
  for (const command of ["check", "serve"]) {
    await using lb = weir([command, file]);
    expect(await lb.exited).toEqual({ code: 1, signal: null });
    expect(lb.stderr).toContain(':3:7 user  CONFIG_UNKNOWN_USER  this system has no user "no-such-user"');
    expect(lb.stderr).toContain(':4:8 group  CONFIG_UNKNOWN_USER  this system has no group "no-such-group"');
    expect(lb.stderr.split("\n").length).toBe(2);
  }
});
