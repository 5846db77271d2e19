import { afterAll, expect, test } from "bun:test";
import { existsSync, linkSync, lstatSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import type { Address } from "../address.ts";
import { serveHttp } from "./serve.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const hello = async (_request: Request, who: string): Promise<Response> => new Response(who);
/** Why it is not served. */
async function refusal(served: ReturnType<typeof serveHttp>): Promise<string> {
  try {
    await (await served).close();
    return "it is";
  } catch (error) {
    return String(error);
  }
}

const loopback: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

test("on a port, which it tells, and which nobody else has meanwhile", async () => {
  const served = await serveHttp(loopback, hello);
  if (served.address.kind !== "tcp") throw new Error("no port");
  const { port } = served.address;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("127.0.0.1");
  expect(await refusal(serveHttp(served.address, hello))).toContain("ADMIN_ADDRESS_IN_USE");
  await served.close();
  await (await serveHttp(served.address, hello)).close();
});

test("on a path, which is its owner's alone, and is removed", async () => {
  const path = join(folder.path, "a.sock");
  const served = await serveHttp({ kind: "unix", path }, hello);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await (await fetch("http://localhost/", { unix: path })).text()).toBe("unix");
  expect(await refusal(serveHttp({ kind: "unix", path }, hello))).toContain("ADMIN_ADDRESS_IN_USE");
  await served.close();
  expect(existsSync(path)).toBe(false);
});

test("an answer on a path may take as long as it is said, and longer than the runtime would have it", async () => {
  const late = Promise.withResolvers<Response>();
  const [path, short] = [join(folder.path, "slow.sock"), join(folder.path, "short.sock")];
  const served = await serveHttp({ kind: "unix", path }, () => late.promise);
  const answer = fetch("http://localhost/", { unix: path }).then((response) => response.text(), String);
  // One with the shortest time is the measure: were it the runtime's own 10 seconds that hold, both clients would be cut off together.
  const measure = await serveHttp({ kind: "unix", path: short }, () => new Promise(() => {}), 1);
  expect(await fetch("http://localhost/", { unix: short }).then(() => "an answer", String)).toContain("ECONNRESET");
  late.resolve(new Response("at last"));
  expect(await answer).toBe("at last");
  await measure.close();
  await served.close();
}, 60_000);

test("the file of the one that comes next is left alone, though the system may give it the same number", async () => {
  const path = join(folder.path, "next.sock");
  const served = await serveHttp({ kind: "unix", path }, hello);
  linkSync(path, `${path}.kept`);
  const leaving = served.leave();
  expect(existsSync(path)).toBe(false);
  renameSync(`${path}.kept`, path);
  await served.close();
  await leaving;
  expect(existsSync(path)).toBe(true);
});

test("a socket that a killed process has left is replaced, a file is not", async () => {
  const path = join(folder.path, "b.sock");
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `Bun.serve({ unix: ${JSON.stringify(path)}, fetch: () => new Response() }); console.log("up")`,
    ],
    { stdout: "pipe" },
  );
  await child.stdout.getReader().read();
  child.kill("SIGKILL");
  await child.exited;
  expect(lstatSync(path).isSocket()).toBe(true);
  await (await serveHttp({ kind: "unix", path }, hello)).close();
  writeFileSync(path, "precious");
  expect(await refusal(serveHttp({ kind: "unix", path }, hello))).toContain("left alone");
});

test("an address that cannot be is told of", async () => {
  expect(await refusal(serveHttp({ kind: "tcp", host: "192.0.2.1", port: 0 }, hello))).toContain("LISTEN_FAILED");
});

test("a path where no file can be looked for is an address that cannot be listened on", async () => {
  writeFileSync(join(folder.path, "file"), "");
  for (const path of [join(folder.path, "file", "admin.sock"), join(folder.path, "x".repeat(300))])
    expect(await refusal(serveHttp({ kind: "unix", path }, hello))).toContain("LISTEN_FAILED");
});
