import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import { POLICIES } from "../../src/balance/registry.ts";
import { parseKeyPart } from "../../src/config/schema/key-parts.ts";
import type { KeyPart } from "../../src/plan.ts";
import { type Cluster, until } from "../fixtures/cluster.ts";
import { type Backend, backend, client, Client, get, ok, weir } from "../fixtures/http.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const KEYED = [...POLICIES.values()].filter(({ keyed }) => keyed).map(({ name }) => name);
const BACKENDS = 4;
const KEYS = Array.from({ length: 100 }, (_, i) => `key-${i}`);
const header: readonly KeyPart[] = [{ kind: "header", name: "x-key" }];

/** Backends that answer with their number. */
function numbered(count = BACKENDS): AsyncDisposable & { readonly all: readonly Backend[] } {
  const all = Array.from({ length: count }, (_, i) => backend(() => ok(String(i))));
  return {
    all,
    async [Symbol.asyncDispose]() {
      for (const each of all) await each[Symbol.asyncDispose]();
    },
  };
}

/** Which backend answers a request, on a connection of its own. */
async function answerer(lb: Cluster, request: string, from = "127.0.0.1"): Promise<number> {
  await using user = new Client(await connectRaw({ host: "127.0.0.1", port: lb.port, from }));
  return Number((await user.ask(request)).body);
}

/** Which backend answers each key. */
async function homes(lb: Cluster, keys: readonly string[] = KEYS): Promise<number[]> {
  await using user = await client(lb);
  const found: number[] = [];
  for (const each of keys) found.push(Number((await user.ask(get("/", `X-Key: ${each}\r\n`))).body));
  return found;
}

function tallied(found: readonly number[], count = BACKENDS): number[] {
  return Array.from({ length: count }, (_, i) => found.filter((each) => each === i).length);
}

/** How a request carries a value as each form of key. */
const CARRIERS: readonly (readonly [string, (value: string) => string])[] = [
  ["path", (value) => get(`/${value}?any=1`)],
  ["host", (value) => `GET / HTTP/1.1\r\nHost: ${value}.example:8080\r\n\r\n`],
  ["header:X-Key", (value) => get("/", `X-KEY: ${value}\r\n`)],
  ["cookie:sid", (value) => get("/", `Cookie: a=1; sid=${value}; b=2\r\n`)],
  ["query:key", (value) => get(`/?a=1&key=${value}`)],
];

describe.each(KEYED)("%s", (name) => {
  test.each(CARRIERS)("by %s: the same key goes to the same backend, on every connection", async (form, request) => {
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: { name, key: [parseKeyPart(form)] } });
    const first: number[] = [];
    for (const key of KEYS) first.push(await answerer(lb, request(key)));
    for (const [i, key] of KEYS.entries()) expect(await answerer(lb, request(key))).toBe(first[i]!);
    for (const share of tallied(first)) expect(share).toBeGreaterThan(0);
  });

  test("by source: a client stays with its backend, and clients spread", async () => {
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: name });
    const first: number[] = [];
    for (let i = 1; i <= 100; i++) first.push(await answerer(lb, get(`/${i}`), `127.0.0.${i}`));
    for (let i = 1; i <= 100; i++) expect(await answerer(lb, get("/other"), `127.0.0.${i}`)).toBe(first[i - 1]!);
    for (const share of tallied(first)) expect(share).toBeGreaterThan(0);
  });

  test("by source behind a trusted proxy: it is the client that counts", async () => {
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: name, trustedProxies: ["127.0.0.0/8"] });
    const request = (i: number): string => get("/", `X-Forwarded-For: 198.51.100.${i}\r\n`);
    const first: number[] = [];
    for (let i = 0; i < 100; i++) first.push(await answerer(lb, request(i)));
    for (let i = 0; i < 100; i++) expect(await answerer(lb, request(i), "127.0.0.9")).toBe(first[i]!);
    for (const share of tallied(first)) expect(share).toBeGreaterThan(0);
  });

  test("by host and header together: each counts", async () => {
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: { name, key: [{ kind: "host" }, ...header] } });
    const request = (host: number, key: number): string => `GET / HTTP/1.1\r\nHost: h${host}\r\nX-Key: ${key}\r\n\r\n`;
    await using user = await client(lb);
    for (let fixed = 0; fixed < 3; fixed++) {
      const byKey: number[] = [];
      const byHost: number[] = [];
      for (let i = 0; i < 100; i++) byKey.push(Number((await user.ask(request(fixed, i))).body));
      for (let i = 0; i < 100; i++) byHost.push(Number((await user.ask(request(i, fixed))).body));
      for (const share of [...tallied(byKey), ...tallied(byHost)]) expect(share).toBeGreaterThan(0);
      expect(byKey[fixed]).toBe(byHost[fixed]);
    }
  });

  test("requests without the key spread by their source", async () => {
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: { name, key: header } });
    const found: number[] = [];
    for (let i = 1; i <= 100; i++) found.push(await answerer(lb, get(), `127.0.0.${i}`));
    for (const share of tallied(found)) expect(share).toBeGreaterThan(0);
  });

  test("clients of a unix socket, which have no address, spread too", async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/weir.sock`;
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: name, address: `unix:${path}` });
    const found: number[] = [];
    for (let i = 0; i < 100; i++) {
      await using user = new Client(await connectRaw(path));
      found.push(Number((await user.ask(get())).body));
    }
    expect(lb.listener("requests")).toBe(100);
    for (const share of tallied(found)) expect(share).toBeGreaterThan(0);
  });

  test("a backend that is down spills its own keys only, each always to the same one", async () => {
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: { name, key: header }, health: { passive: null } });
    const before = await homes(lb);
    await backends.all[1]!.server[Symbol.asyncDispose]();
    await until(() => lb.engine.connections().backends === BACKENDS - 1);
    const after = await homes(lb);
    const moved = after.filter((_, i) => before[i] === 1);
    expect(after.filter((_, i) => before[i] !== 1)).toEqual(before.filter((each) => each !== 1));
    expect(moved.length).toBeGreaterThan(0);
    expect(moved).not.toContain(1);
    expect(new Set(moved).size).toBeGreaterThan(1);
    expect(await homes(lb)).toEqual(after);
  });

  test("the order of the list does not matter", async () => {
    await using backends = numbered();
    await using lb = weir({ backends: backends.all, policy: { name, key: header } });
    await using other = weir({ backends: backends.all.toReversed(), policy: { name, key: header } });
    expect(await homes(other)).toEqual(await homes(lb));
  });

  test("shares follow the weights", async () => {
    await using backends = numbered(2);
    const [heavy, light] = backends.all.map(({ port }) => ({ address: parseAddress(`127.0.0.1:${port}`) }));
    await using lb = weir({ backends: [{ ...heavy, weight: 4 }, { ...light }], policy: { name, key: header } });
    const keys = Array.from({ length: 400 }, (_, i) => `weighed-${i}`);
    // Four fifths; `ring` is even only to a fifth or so.
    expect(tallied(await homes(lb, keys), 2)[0]! / keys.length).toBeWithin(0.65, 0.92);
  });

  test("with bounded load, a key that everybody asks for is spread as evenly as told", async () => {
    const held = Array.from({ length: BACKENDS }, () => backend(() => {}));
    await using lb = weir({ backends: held, policy: { name, key: header, maxLoadFactor: 1.25 } });
    const users: Client[] = [];
    let home = held[0]!;
    for (let asked = 1; asked <= 24; asked++) {
      const user = await client(lb);
      users.push(user);
      user.send(get("/", "X-Key: hot\r\n"));
      await until(() => held.reduce((sum, { requests }) => sum + requests.length, 0) === asked);
      if (asked === 1) home = held.find(({ requests }) => requests.length === 1)!;
      const most = Math.max(...held.map(({ requests }) => requests.length));
      expect(most).toBeLessThanOrEqual(Math.ceil((1.25 * asked) / BACKENDS));
    }
    // Where all of it has been answered there is room at home again.
    for (const { requests } of held) for (const { connection } of requests) connection.send(ok());
    for (const user of users) expect((await user.response()).status).toBe(200);
    await until(() => lb.inFlight() === 0);
    users[0]!.send(get("/", "X-Key: hot\r\n"));
    (await home.request(home.requests.length)).connection.send(ok());
    expect((await users[0]!.response()).status).toBe(200);
    for (const each of [...users, ...held]) await each[Symbol.asyncDispose]();
  });

  test("over TCP the source counts", async () => {
    const servers = Array.from({ length: BACKENDS }, (_, i) =>
      rawServer({ onConnection: (connection) => connection.send(String(i)) }),
    );
    await using lb = weir({
      mode: "tcp",
      backends: servers.map(({ port }) => port),
      policy: name,
      health: { passive: null },
    });
    const ask = async (i: number): Promise<string> => {
      await using user = await connectRaw({ host: "127.0.0.1", port: lb.port, from: `127.0.0.${i}` });
      return (await user.until(({ text }) => text !== "")).text;
    };
    const first: number[] = [];
    for (let i = 1; i <= 100; i++) first.push(Number(await ask(i)));
    for (let i = 1; i <= 100; i++) expect(Number(await ask(i))).toBe(first[i - 1]!);
    for (const share of tallied(first)) expect(share).toBeGreaterThan(0);
    // The same client over HTTP has the same key.
    await using backends = numbered();
    await using http = weir({ backends: backends.all, policy: { name, key: [{ kind: "source" }] } });
    expect(await answerer(http, get(), "127.0.0.3")).toBe(await answerer(http, get("/x"), "127.0.0.3"));
    // One that is down spills its own clients only.
    await servers[0]![Symbol.asyncDispose]();
    for (let i = 1; i <= 100; i++) {
      const now = Number(await ask(i));
      if (first[i - 1] === 0) expect(now).not.toBe(0);
      else expect(now).toBe(first[i - 1]!);
    }
    for (const server of servers.slice(1)) await server[Symbol.asyncDispose]();
  });
});
