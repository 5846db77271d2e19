import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import type { Explanation } from "../../src/engine/explanation.ts";
import { type Backend, backend, ok } from "../fixtures/http.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { WEIR, weir, type WeirProcess } from "../fixtures/weir-process.ts";

const TOKEN = "token-of-the-tests-1";

/** A Weir of two workers in front of two backends and one that is down, with its admin API on a socket. */
class Explained implements AsyncDisposable {
  readonly folder = temporaryFolder();
  readonly backends: readonly Backend[] = [0, 1].map(() => {
    const made: Backend = backend(() => ok(`127.0.0.1:${made.port}`));
    return made;
  });
  readonly file: string = join(this.folder.path, "weir.config.json");
  readonly tokenFile: string = join(this.folder.path, "token");
  readonly admin = `unix:${this.folder.path}/admin`;
  readonly process: WeirProcess;

  constructor() {
    this.writeToken(TOKEN);
    const live = this.backends.map(({ port }) => `127.0.0.1:${port}`);
    const config = {
      listeners: {
        web: {
          address: "127.0.0.1:0",
          routes: [
            { host: "api.example.com", path: "/v1/*", pool: "api" },
            { host: "*.example.com", pool: "web" },
          ],
        },
      },
      pools: {
        api: {
          policy: { name: "ring", key: ["cookie:a"] },
          health: { probe: "tcp" },
          backends: [...live, "127.0.0.1:1"],
        },
        web: { backends: live },
      },
      workers: 2,
      admin: this.admin,
      explain: { tokenFile: this.tokenFile },
      stateFolder: this.folder.path,
    };
    writeFileSync(this.file, JSON.stringify(config));
    this.process = weir(["serve", this.file], { admin: true });
  }

  writeToken(token: string): void {
    writeFileSync(this.tokenFile, `${token}\n`);
    chmodSync(this.tokenFile, 0o600);
  }

  /** Runs `weir explain` and gives its status and what it wrote. */
  async explain(...args: readonly string[]): Promise<readonly [number, string]> {
    const child = Bun.spawn([WEIR, "explain", ...args, "--admin", this.admin], { stdio: ["ignore", "pipe", "pipe"] });
    const texts = await Promise.all([child.stdout, child.stderr].map((stream) => new Response(stream).text()));
    return [await child.exited, texts.join("")];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    for (const each of this.backends) await each[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

test("weir explain asks the Weir that runs, with what its keepers know", async () => {
  await using lb = new Explained();
  const address = await lb.process.address("web");
  await lb.process.event("backend down", { backend: "127.0.0.1:1" });
  const request = ["GET", "http://api.example.com/v1/x", "--header", "cookie: a=b", "--from", "10.1.2.3"];
  const [status, text] = await lb.explain(...request);
  expect([status, text]).toEqual([0, expect.stringContaining("its probes fail: ")]);
  expect(text).toContain("ECONNREFUSED");
  expect(text).toMatch(/^\* {2}1 {2}api\.example\.com \/v1\/\* {2}chosen/m);
  const [, json] = await lb.explain(...request, "--json", "--worker", "1");
  const told = JSON.parse(json) as Explanation;
  expect([told.worker, told.request.from, told.pool?.key?.parts]).toEqual([1, "10.1.2.3", ["cookie:a"]]);
  // Whoever has this cookie, wherever it comes from and whichever worker takes it.
  for (let i = 0; i < 4; i++) {
    const headers = { host: "api.example.com", cookie: "a=b", connection: "close" };
    const response = await fetch(`http://${address}/v1/x`, { headers });
    expect(await response.text()).toBe(told.choice.backend ?? "?");
  }
  const turns = await lb.explain("http://www.example.com/", "--json");
  for (const worker of ["0", "1", "0"])
    expect(JSON.parse((await lb.explain("http://www.example.com/", "--json", "--worker", worker))[1])).toEqual({
      ...(JSON.parse(turns[1]) as Explanation),
      worker: Number(worker),
    });
}, 60_000);

test("what cannot be explained is said so, and nothing else happens", async () => {
  await using lb = new Explained();
  await lb.process.event("admin bound");
  expect(await lb.explain("http://a.test/", "--worker", "9")).toEqual([1, expect.stringContaining("ADMIN_NOT_FOUND")]);
  expect(await lb.explain("ftp://a.test/")).toEqual([1, expect.stringContaining("ADMIN_BAD_REQUEST")]);
  expect(await lb.explain("http://a.test/", "--listener", "nobody")).toEqual([
    1,
    expect.stringMatching(/ADMIN_NOT_FOUND.*there is no listener "nobody"; there are: web/s),
  ]);
  const send = async (body: string): Promise<number> =>
    (
      await fetch("http://localhost/v1/explain", {
        unix: lb.admin.slice("unix:".length),
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      })
    ).status;
  for (const wrong of [
    "{}",
    '{"url":""}',
    '{"url":"/","from":"me"}',
    '{"url":"/","headers":[["a b","c"]]}',
    '{"url":"/","headers":[["a","c\\r\\nd: e"]]}',
    '{"url":"/ HTTP/1.1\\r\\n","method":"GET"}',
    '{"url":"/","worker":-1}',
    '{"url":"/","more":1}',
    "no json",
  ])
    expect([wrong, await send(wrong)]).toEqual([wrong, 400]);
  expect(await send('{"url":"/"}')).toBe(200);
}, 60_000);

test("a token in a file holds from the next reload on", async () => {
  await using lb = new Explained();
  const address = await lb.process.address("web");
  await lb.process.event("admin bound");
  const asked = async (token: string): Promise<string | null> => {
    const headers = { host: "www.example.com", "weir-explain": token, connection: "close" };
    return (await fetch(`http://${address}/`, { headers })).headers.get("weir-explain");
  };
  expect(await asked(TOKEN)).toContain('pool="web"');
  expect(await asked("token-of-the-tests-2")).toBeNull();
  lb.writeToken("token-of-the-tests-2");
  lb.process.signal("SIGHUP");
  await lb.process.event("configuration in force");
  expect(await asked(TOKEN)).toBeNull();
  expect(await asked("token-of-the-tests-2")).toContain('pool="web"');
}, 60_000);

test("with --config a file is asked, and nothing need run; a wrong one says what is wrong", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "weir.config.json");
  const pools = { app: { policy: "first", backends: ["10.0.0.1:80", { address: "10.0.0.2:80", state: "drain" }] } };
  writeFileSync(file, JSON.stringify({ listeners: { web: { address: ":80", pool: "app" } }, pools }));
  const run = (...args: readonly string[]): readonly [number, string] => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([WEIR, "explain", ...args]);
    return [exitCode, `${stdout.toString()}${stderr.toString()}`];
  };
  const [status, text] = run("--config", file, "PUT", "http://any.test/x");
  expect(status).toBe(0);
  expect(text).toContain("PUT any.test/x from 127.0.0.1");
  expect(text).toContain("drains: no new work");
  expect(text).toEndWith("→ 10.0.0.1:80, by the policy: the first in the list with room\n");
  const [wrong, said] = run("--config", file, "/x", "--listener", "nobody");
  expect([wrong, said]).toEqual([1, expect.stringContaining('no listener is named "nobody"; there are: web')]);
  expect(said).toContain("CLI_USAGE");
  writeFileSync(file, JSON.stringify({ listeners: { web: { address: ":80", pool: "nobody" } }, pools, explain: {} }));
  expect(run("http://any.test/", "--config", file)).toEqual([1, expect.stringContaining("CONFIG_")]);
  expect(run("http://any.test/", "--from", "me", "--config", file)).toEqual([1, expect.stringContaining("CLI_USAGE")]);
});
