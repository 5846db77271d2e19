import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { start } from "weir";
import { numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { childrenOf, weir, type WeirProcess } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

function configFile(folder: string, addresses: readonly string[], affinity: unknown = true, more: object = {}): string {
  const config = {
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: addresses, affinity } },
    workers: 2,
    admin: "off",
    ...more,
  };
  const path = `${folder}/weir.json`;
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Asks on a connection of its own, which any worker may take. @returns who answers, and the cookie that was set */
async function ask(address: string, cookie: string | null): Promise<{ number: string; cookie: string | null }> {
  const headers: Record<string, string> = { Connection: "close", ...(cookie === null ? {} : { Cookie: cookie }) };
  const response = await fetch(`http://${address}/`, { headers });
  const set = response.headers.get("set-cookie")?.split(";")[0] ?? null;
  return { number: await response.text(), cookie: set };
}

test("workers and Weirs of one user agree by a secret that is made once, for its owner alone", async () => {
  await using backends = numberedBackends(4);
  using folder = temporaryFolder();
  const env = { XDG_STATE_HOME: folder.path };
  const path = configFile(folder.path, backends.addresses);
  const secretPath = `${folder.path}/weir/affinity-secret`;

  {
    await using checked = weir(["check", path], { env });
    expect((await checked.exited).code).toBe(0);
    expect(existsSync(`${folder.path}/weir`)).toBe(false);
  }

  await using one = weir(["serve", path], { env });
  await using other = weir(["serve", path], { env });
  const addresses = [await one.address(), await other.address()] as const;
  const secret = readFileSync(secretPath, "utf8").trim();
  expect(statSync(secretPath).mode & 0o777).toBe(0o600);

  for (let user = 0; user < 4; user++) {
    const first = await ask(addresses[0], null);
    expect(first.cookie).toStartWith("weir=");
    for (let i = 0; i < 6; i++) {
      const next = await ask(addresses[(i % 2) as 0 | 1], first.cookie);
      expect(next).toEqual({ number: first.number, cookie: null });
    }
  }
  for (const each of [one, other]) {
    expect(each.stderr).not.toContain(secret);
    expect(commandsOf(each)).not.toContain(secret);
    each.signal("SIGTERM");
    expect((await each.exited).code).toBe(0);
    expect(each.stderr).not.toContain(secret);
  }
});

/** What the system shows to everybody of a Weir and its workers. */
function commandsOf({ pid }: WeirProcess): string {
  const pids = [pid, ...childrenOf(pid)].join(",");
  return Bun.spawnSync(["ps", "-ww", "-o", "args=", "-p", pids]).stdout.toString();
}

test("a file that others may read is refused with a code, a reason and a mend; a secret that is set needs none", async () => {
  await using backends = numberedBackends(1);
  using folder = temporaryFolder();
  const stateFolder = `${folder.path}/state`;
  const path = configFile(folder.path, backends.addresses, true, { stateFolder });
  {
    await using first = weir(["serve", path]);
    await first.address();
  }
  chmodSync(`${stateFolder}/affinity-secret`, 0o644);
  {
    await using refused = weir(["serve", path]);
    expect((await refused.exited).code).toBe(1);
    expect(refused.stderr).toContain(
      `SECRET_UNSAFE  ${stateFolder}/affinity-secret is open to others, its mode is 0644`,
    );
    expect(refused.stderr).toContain("chmod 600");
  }
  const secret = "a secret of the configuration";
  await using fine = weir(["serve", configFile(folder.path, backends.addresses, { secret }, { stateFolder })]);
  expect((await ask(await fine.address(), null)).number).toBe("1");
  expect(fine.stderr + commandsOf(fine)).not.toContain(secret);
});

test("as a library Weir keeps the secret in the same place", async () => {
  await using backends = numberedBackends(3);
  using folder = temporaryFolder();
  const config = {
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: backends.addresses, affinity: { cookie: "sid", ttl: "1h" } } },
    stateFolder: `${folder.path}/state`,
  } as const;
  let first: Awaited<ReturnType<typeof ask>>;
  {
    await using lb = await start(config);
    first = await ask(lb.listeners.web.address, null);
    expect(first.cookie).toStartWith("sid=");
  }
  await using again = await start(config);
  for (let i = 0; i < 3; i++)
    expect(await ask(again.listeners.web.address, first.cookie)).toEqual({ number: first.number, cookie: null });
});
