import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../../src/admin/model.ts";
import type { Applied, ProblemDocument } from "../../src/admin/model-writes.ts";
import type { Config } from "../../src/config/schema/schema.ts";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { CAN_BE_SILENT, silentServer } from "../fixtures/silent-server.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { type AdminWeir, adminWeir } from "../fixtures/weir-admin.ts";
import { weir } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

const TOKEN = "a-token-of-sixteen-bytes";

interface Running extends AsyncDisposable {
  readonly lb: AdminWeir;
  readonly folder: string;
  readonly address: string;
  /** Puts a configuration with that admin API, and the second backend, into the file. */
  write(admin: Config["admin"]): void;
}

/** A Weir with one of two backends, whose file is about to change. */
async function running(): Promise<Running> {
  const folder = temporaryFolder();
  const backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const config = (backend: string): Omit<Config, "stateFolder"> => ({
    workers: 1,
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [backend] } },
  });
  const lb = await adminWeir(folder.path, config(one));
  const stateFolder = join(folder.path, "state");
  return {
    lb,
    folder: folder.path,
    address: await lb.process.address(),
    write: (admin) =>
      writeFileSync(
        lb.file,
        JSON.stringify({ ...config(two), stateFolder, ...(admin === undefined ? {} : { admin }) }),
      ),
    async [Symbol.asyncDispose]() {
      await lb.process[Symbol.asyncDispose]();
      await backends[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Asks for a reload that is to be refused: tried and for good, and nothing of it holds. */
async function expectRefused({ lb, address }: Running, code: string): Promise<string> {
  for (const dryRun of [true, false]) {
    const refused = await lb.ask("/v1/reload", "POST", { dryRun });
    expect(refused.ok).toBe(false);
    const { problems = [] } = (await refused.json()) as ProblemDocument;
    expect(problems).toMatchObject([{ code }]);
    if (dryRun) continue;
    expect(await lb.json<Status>("/v1/status")).toMatchObject({ generation: 1 });
    expect(await get(address)).toBe("1");
    expect(lb.process.log.filter(({ event }) => event === "configuration in force")).toEqual([]);
    return problems[0]?.message ?? "";
  }
  return "";
}

test.each([
  ["open to others", (file: string): void => chmodSync(file, 0o644)],
  ["missing", (file: string): void => rmSync(file)],
  ["too short", (file: string): void => writeFileSync(file, "short")],
])("a reload with a token file that is %s is refused as a whole, as a start is", async (_what, spoil) => {
  await using of = await running();
  const tokenFile = join(of.folder, "token");
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  spoil(tokenFile);
  of.write({ address: "127.0.0.1:0", tokenFile });
  const reason = await expectRefused(of, "ADMIN_TOKEN_UNSAFE");
  await using start = weir(["serve", of.lb.file], { admin: true });
  expect((await start.exited).code).toBe(1);
  expect(start.stderr).toContain(reason);
  // And a good one is good.
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  chmodSync(tokenFile, 0o600);
  expect(await of.lb.json<Applied>("/v1/reload", "POST", {})).toMatchObject({ generation: 2 });
  expect((await of.lb.ask("/v1/status")).status).toBe(401);
  expect(await get(of.address)).toBe("2");
});

test.if(CAN_BE_SILENT)(
  "a reload to an admin address that is taken is refused as a whole, and the old one goes on",
  async () => {
    await using of = await running();
    await using other = await silentServer();
    of.write(`127.0.0.1:${other.port}`);
    expect(await expectRefused(of, "ADMIN_ADDRESS_IN_USE")).toContain(String(other.port));
  },
);

test.if(process.platform === "linux")(
  "an upgrade with a token file that is not safe leaves the old program",
  async () => {
    await using of = await running();
    const tokenFile = join(of.folder, "token");
    writeFileSync(tokenFile, TOKEN);
    chmodSync(tokenFile, 0o644);
    of.write({ address: "127.0.0.1:0", tokenFile });
    const { process: lb } = of.lb;
    lb.signal("SIGUSR2");
    const { event } = await lb.nth(["upgrade failed", "upgrade done"], 0);
    if (event === "upgrade done") process.kill(Number((await lb.event("upgrade done"))["pid"]), "SIGKILL");
    expect(event).toBe("upgrade failed");
    expect(lb.stderr).toContain("ADMIN_TOKEN_UNSAFE");
    expect(await of.lb.json<Status>("/v1/status")).toMatchObject({ generation: 1, phase: "running" });
    expect(await get(of.address)).toBe("1");
  },
);

test("the address that the system chose may be named, and one that takes it in is refused with why", async () => {
  await using of = await running();
  const tokenFile = join(of.folder, "token");
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  of.write({ address: of.lb.admin.replace("127.0.0.1", ""), tokenFile });
  expect(await expectRefused(of, "ADMIN_ADDRESS_IN_USE")).toContain(`while the admin API is at ${of.lb.admin}`);
  of.write(of.lb.admin);
  expect(await of.lb.json<Applied>("/v1/reload", "POST", {})).toMatchObject({ generation: 2 });
  expect(await of.lb.json<Status>("/v1/status")).toMatchObject({ generation: 2 });
});

test("a dry run of another admin address leaves nothing behind", async () => {
  await using of = await running();
  const path = join(of.folder, "admin.sock");
  of.write(`unix:${path}`);
  await of.lb.json("/v1/reload", "POST", { dryRun: true });
  expect(await Bun.file(path).exists()).toBe(false);
  expect(await of.lb.json<Status>("/v1/status")).toMatchObject({ generation: 1 });
});

test("a plan that a worker does not take leaves the admin API where it was", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const config = {
    workers: 1,
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: backends.addresses } },
  };
  const lb = await adminWeir(folder.path, config, { env: { WEIR_FAULT: "prepare:0" } });
  await using _ = lb.process;
  const path = join(folder.path, "admin.sock");
  writeFileSync(lb.file, JSON.stringify({ ...config, admin: `unix:${path}`, stateFolder: `${folder.path}/state` }));
  expect((await lb.ask("/v1/reload", "POST", {})).ok).toBe(false);
  expect(await Bun.file(path).exists()).toBe(false);
  expect(await lb.json<Status>("/v1/status")).toMatchObject({ generation: 1 });
});
