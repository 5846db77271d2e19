import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { existsSync, readFileSync } from "node:fs";
import type { z } from "zod";
import type { Config } from "../../src/config/schema/schema.ts";
import { accessLine } from "../../src/observe/access-line.ts";
import { start } from "../../src/process/embed/embedded.ts";
import { backend, type Backend, Client, get, ok, post } from "../fixtures/http.ts";
import { connectRaw, rawServer, refusingPort } from "../fixtures/raw.ts";
import { temporaryFolder, type TemporaryFolder } from "../fixtures/temporary-folder.ts";

type Line = z.infer<typeof accessLine>;

/** Weir as a library with an access log in a file, which is read when it has drained. */
class Logged {
  readonly port: number;
  readonly #weir: Awaited<ReturnType<typeof start>>;
  readonly #folder: TemporaryFolder;

  private constructor(weir: Awaited<ReturnType<typeof start>>, folder: TemporaryFolder) {
    this.#weir = weir;
    this.#folder = folder;
    this.port = weir.listeners["web"]?.port ?? 0;
  }

  static async start(
    backends: readonly (Backend | number)[],
    more: {
      readonly config?: Partial<Config>;
      readonly listener?: object;
      readonly pool?: object;
      readonly log?: object;
    } = {},
  ): Promise<Logged> {
    const folder = temporaryFolder();
    const { config = {}, listener = {}, pool = {}, log = {} } = more;
    const weir = await start({
      accessLog: { to: `${folder.path}/access.log`, ...log },
      listeners: { web: { address: "127.0.0.1:0", pool: "app", ...listener } },
      pools: {
        app: { backends: backends.map((each) => `127.0.0.1:${typeof each === "number" ? each : each.port}`), ...pool },
      },
      shutdown: { timeout: "20s" },
      ...config,
    });
    return new Logged(weir, folder);
  }

  async client(): Promise<Client> {
    return new Client(await connectRaw(this.port));
  }

  /** Drains, and gives the text of the log. */
  async text(): Promise<string> {
    await this.#weir.close();
    const path = `${this.#folder.path}/access.log`;
    const text = existsSync(path) ? readFileSync(path, "latin1") : "";
    this.#folder[Symbol.dispose]();
    return text;
  }

  /** Drains, and gives the lines, each of which keeps to the schema. */
  async lines(): Promise<Line[]> {
    const text = await this.text();
    expect(text === "" || text.endsWith("\n")).toBe(true);
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => accessLine.parse(JSON.parse(line)));
  }
}

describe("a line in JSON", () => {
  test("tells of a request, its attempt and its response", async () => {
    await using app = backend(() => ok("hello"));
    const logged = await Logged.start([app]);
    await using client = await logged.client();
    const answer = await client.ask(
      get("/a?b=c", "User-Agent: test/1\r\nReferer: http://x/\r\nX-Request-Id: mine\r\n"),
    );
    const again = await client.ask(get("/second"));
    const [line, second] = await logged.lines();
    expect(line).toMatchObject({
      kind: "http",
      listener: "web",
      route: "*/*",
      pool: "app",
      client: "127.0.0.1",
      method: "GET",
      host: "weir.example",
      target: "/a?b=c",
      status: 200,
      code: null,
      bytesOut: ok("hello").length,
      requestId: "mine",
      traceId: null,
      userAgent: "test/1",
      referer: "http://x/",
      attempts: [{ backend: `127.0.0.1:${app.port}`, reused: false, hedge: false, status: 200, code: null }],
    });
    expect([answer.raw, again.raw].every((raw) => raw.startsWith("HTTP/1.1 200"))).toBe(true);
    expect(second).toMatchObject({ target: "/second", requestId: null, userAgent: null, attempts: [{ reused: true }] });
    const { durationMs, firstByteMs, attempts } = line!;
    const [{ connectMs, responseMs } = { connectMs: -1, responseMs: -1 }] = attempts;
    expect(connectMs! + responseMs!).toBeLessThanOrEqual(firstByteMs! + 0.01);
    expect(firstByteMs!).toBeLessThanOrEqual(durationMs);
    expect(Math.abs(Date.parse(line!.time) - Date.now())).toBeLessThan(60_000);
  });

  test("counts bytes of bodies both ways, whatever their framing", async () => {
    await using app = backend(() => ok("x".repeat(50_000)));
    const logged = await Logged.start([app]);
    await using client = await logged.client();
    await client.ask(post("y".repeat(20_000)));
    const head = "POST / HTTP/1.1\r\nHost: weir.example\r\nTransfer-Encoding: chunked\r\n\r\n";
    await client.ask(`${head}5\r\nhello\r\n0\r\n\r\n`);
    const [first, second] = await logged.lines();
    expect(first!.bytesIn).toBe(post("y".repeat(20_000)).length);
    expect(first!.bytesOut).toBe(ok("x".repeat(50_000)).length);
    expect(second!.bytesIn).toBe(head.length + 5);
  });

  test("tells each attempt and why it failed", async () => {
    await using app = backend();
    const refuses = refusingPort();
    const logged = await Logged.start([refuses, app], { pool: { policy: "first" } });
    await using client = await logged.client();
    await client.ask(get());
    const [line] = await logged.lines();
    expect(line).toMatchObject({
      status: 200,
      code: null,
      attempts: [
        { backend: `127.0.0.1:${refuses}`, code: "BACKEND_REFUSED", status: null, connectMs: null },
        { backend: `127.0.0.1:${app.port}`, code: null, status: 200 },
      ],
    });
  });

  test("tells why the exchange failed, and what Weir answered", async () => {
    const logged = await Logged.start([refusingPort()], { pool: { retry: { attempts: 1 } } });
    await using client = await logged.client();
    const answer = await client.ask(get());
    const [line] = await logged.lines();
    expect(line).toMatchObject({ status: 502, code: "BACKEND_REFUSED", attempts: [{ code: "BACKEND_REFUSED" }] });
    expect(Math.abs(line!.bytesOut - answer.raw.length)).toBeLessThan(60); // the date, which the codec adds
  });

  test("is there for a request that no route matches, and for one that cannot be read", async () => {
    await using app = backend();
    const logged = await Logged.start([app], {
      listener: { pool: undefined, routes: [{ path: "/only", pool: "app" }] },
    });
    await using client = await logged.client();
    await client.ask(get("/other"));
    await using bad = await logged.client();
    bad.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    await bad.raw.untilEnd();
    bad.raw.reset();
    const [none, broken] = await logged.lines();
    expect(none).toMatchObject({ status: 404, code: "ROUTE_NOT_FOUND", route: null, pool: null, attempts: [] });
    expect(broken).toMatchObject({
      status: 400,
      code: "CLIENT_BAD_HOST",
      method: null,
      target: null,
      client: "127.0.0.1",
    });
  });

  test("is there for a client that goes away, with the code and without a status", async () => {
    await using app = backend(() => {});
    const logged = await Logged.start([app]);
    const client = await logged.client();
    client.send(get("/gone"));
    await app.request(0);
    client.raw.reset();
    await app.server.connections[0]!.untilEnd();
    const [line] = await logged.lines();
    expect(line).toMatchObject({ target: "/gone", status: null, code: "CLIENT_GONE", attempts: [{ status: null }] });
  });

  test("comes when a tunnel is over, with the bytes that passed", async () => {
    await using app = backend((request) => {
      request.connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    });
    const logged = await Logged.start([app]);
    await using client = await logged.client();
    client.send(get("/up", "Connection: Upgrade\r\nUpgrade: echo\r\n"));
    await client.raw.untilText("101");
    client.send("x".repeat(1000));
    const { connection } = await app.request(0);
    await connection.until(({ bytes }) => bytes >= 1000);
    connection.send("y".repeat(3000));
    await client.raw.until(({ bytes }) => bytes >= 3000);
    client.raw.end();
    await connection.untilEnd();
    connection.end();
    const [line, ...more] = await logged.lines();
    expect(more).toEqual([]);
    expect(line).toMatchObject({ kind: "http", target: "/up", status: 101, code: null, attempts: [{ status: 101 }] });
    expect(line!.bytesIn).toBeGreaterThan(1000);
    expect(line!.bytesOut).toBeGreaterThan(3000);
  });

  test("comes when a TCP connection is over", async () => {
    await using app = rawServer({ onData: (connection) => connection.send("pong") });
    const refuses = refusingPort();
    const logged = await Logged.start([refuses, app.port], { listener: { mode: "tcp" }, pool: { policy: "first" } });
    await using client = await logged.client();
    client.send("ping");
    await client.raw.untilText("pong");
    client.raw.end();
    await app.connections[0]!.untilEnd();
    app.connections[0]!.end();
    const [line] = await logged.lines();
    expect(line).toMatchObject({
      kind: "tcp",
      pool: "app",
      method: null,
      status: null,
      code: null,
      bytesIn: 4,
      bytesOut: 4,
      attempts: [{ code: "BACKEND_REFUSED" }, { backend: `127.0.0.1:${app.port}`, code: null }],
    });
  });
});

test("combined, and a template, are as configured", async () => {
  await using app = backend(() => ok("hello"));
  const combined = await Logged.start([app], { log: { format: "combined" } });
  await using client = await combined.client();
  await client.ask(get("/a", 'User-Agent: a "quoted" one\r\n'));
  expect(await combined.text()).toMatch(
    /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/a HTTP\/1\.1" 200 5 "-" "a \\x22quoted\\x22 one"\n$/,
  );
  const template = await Logged.start([app], { log: { format: "{{{status}}} {backend} {code}" } });
  await using other = await template.client();
  await other.ask(get("/a"));
  expect(await template.text()).toBe(`{200} 127.0.0.1:${app.port} -\n`);
});

test("a sample leaves out what went well, never what failed", async () => {
  await using app = backend();
  const logged = await Logged.start([app], {
    log: { sample: 0 },
    listener: { pool: undefined, routes: [{ path: "/only", pool: "app" }] },
  });
  await using client = await logged.client();
  for (let i = 0; i < 5; i++) await client.ask(get("/only"));
  await client.ask(get("/other"));
  const lines = await logged.lines();
  expect(lines.map(({ target }) => target)).toEqual(["/other"]);
});

test("a listener's own log holds instead of the top level's, off too", async () => {
  await using app = backend();
  const logged = await Logged.start([app], { listener: { accessLog: "off" } });
  await using client = await logged.client();
  await client.ask(get());
  expect(await logged.text()).toBe("");
});

test("whatever a client sends, each request has its line, and each line parses back as what was sent", async () => {
  await using app = backend();
  const logged = await Logged.start([app]);
  await using client = await logged.client();
  const sent: string[][] = [];
  // What the parser lets into a field (RFC 9110 §5.5) and into a target.
  const value = fc.string({
    unit: fc.oneof(
      fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      fc.integer({ min: 0x80, max: 0xff }).map((code) => String.fromCharCode(code)),
      fc.constantFrom('"', "\\", "{", "}", " "),
    ),
    minLength: 1,
    maxLength: 40,
  });
  const trimmed = (text: string): string => text.replaceAll(/^ +| +$/g, "");
  const target = fc.string({ unit: fc.constantFrom('"', "a", "%", "/", "{", "'", "|", "\\", "?"), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(target, value, value, async (path, agent, referer) => {
      const answer = await client.ask(get(`/${path}`, `User-Agent: ${agent}\r\nReferer: ${referer}\r\n`));
      if (answer.raw.startsWith("HTTP/1.1 200")) sent.push([`/${path}`, trimmed(agent), trimmed(referer)]);
    }),
    { seed: 7, numRuns: 200 },
  );
  const lines = await logged.lines();
  expect(sent.length).toBeGreaterThan(100);
  expect(
    lines
      .filter(({ status }) => status === 200)
      .map(({ target: at, userAgent, referer }) => [at, userAgent ?? "", referer ?? ""]),
  ).toEqual(sent);
});
