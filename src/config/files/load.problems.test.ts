import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ErrorCode } from "../../errors.ts";
import { load } from "./load.ts";
import { FORMATS, written } from "./written.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-load-"));
});
afterAll(() => rm(folder, { recursive: true }));

const pools = { app: { backends: [":8001"] } };
const listeners = { web: { address: ":8080", pool: "app" } };
const web = (listener: object, more: object = {}): object => ({
  listeners: { web: { address: ":8080", ...listener } },
  pools,
  ...more,
});
const app = (pool: object): object => ({ listeners, pools: { app: { backends: [":8001"], ...pool } } });
const whole = (more: object): object => ({ listeners, pools, ...more });

interface Case {
  /** What is wrong. */
  readonly name: string;
  readonly config: object;
  readonly code: ErrorCode;
  readonly key: string;
  /** A text whose first occurrence is on the line of the problem. */
  readonly at: string;
  readonly message: string;
  readonly mend: string;
}

function wrong(
  name: string,
  config: object,
  code: ErrorCode,
  key: string,
  at: string,
  message: string,
  mend: string,
): Case {
  return { name, config, code, key, at, message, mend };
}

const ADDRESS = "Use host:port, :port, [ipv6]:port, http://host:port or unix:/path.";
const WEIGHT = "Use a whole number from 0 to 65535; 0 takes no new work.";

/** One thing wrong in each; exactly one problem must come of it. */
const CASES: readonly Case[] = [
  wrong(
    "unknown key",
    whole({ worker: 2 }),
    "CONFIG_UNKNOWN_KEY",
    "worker",
    "worker",
    'there is no key "worker" here; did you mean "workers"?',
    "Write workers.",
  ),
  wrong(
    "unknown key of a section",
    whole({ timeouts: { conect: "1s" } }),
    "CONFIG_UNKNOWN_KEY",
    "timeouts.conect",
    "conect",
    'there is no key "conect" here; did you mean "connect"?',
    "Write connect.",
  ),
  wrong(
    "unknown key unlike any",
    web({ pool: "app", zzzzzz: 1 }),
    "CONFIG_UNKNOWN_KEY",
    "listeners.web.zzzzzz",
    "zzzzzz",
    'there is no key "zzzzzz" here',
    "Use one of address, mode, pool, routes, via, accessLog, timeouts, limits.",
  ),
  wrong(
    "key in the wrong section",
    app({ weight: 2 }),
    "CONFIG_UNKNOWN_KEY",
    "pools.app.weight",
    "weight",
    'there is no key "weight" here; it belongs in a backend',
    "Use one of policy, backends, affinity, health, slowStart, retry, hedge, timeouts, limits.",
  ),
  wrong(
    "mistyped key that must be there",
    web({ routes: [{ pol: "app" }] }),
    "CONFIG_UNKNOWN_KEY",
    "listeners.web.routes[0].pol",
    'pol"',
    'there is no key "pol" here; did you mean "pool"?',
    "Write pool.",
  ),
  wrong(
    "no listeners",
    { pools },
    "CONFIG_MISSING_KEY",
    "listeners",
    "",
    'the key "listeners" is missing',
    "Add it: a section of listeners by name.",
  ),
  wrong(
    "no pools",
    { listeners },
    "CONFIG_MISSING_KEY",
    "pools",
    "",
    'the key "pools" is missing',
    "Add it: a section of pools by name.",
  ),
  wrong(
    "empty listeners",
    { listeners: {}, pools },
    "CONFIG_MISSING_KEY",
    "listeners",
    "listeners",
    "there is no listener",
    "Add at least one.",
  ),
  wrong(
    "no address",
    { listeners: { web: { pool: "app" } }, pools },
    "CONFIG_MISSING_KEY",
    "listeners.web.address",
    "web",
    'the key "address" is missing',
    "Add it: an address such as :8080, 127.0.0.1:8080 or unix:/path.",
  ),
  wrong(
    "a route without a pool",
    web({ routes: [{ host: "a.com" }] }),
    "CONFIG_MISSING_KEY",
    "listeners.web.routes[0].pool",
    "a.com",
    'the key "pool" is missing',
    "Add it: the name of a pool.",
  ),
  wrong(
    "neither pool nor routes",
    web({}),
    "CONFIG_MISSING_KEY",
    "listeners.web",
    "web",
    "the listener has neither pool nor routes",
    "Add pool: the name of a pool, or routes: a list of routes.",
  ),
  wrong(
    "both pool and routes",
    web({ pool: "app", routes: [{ pool: "app" }] }),
    "CONFIG_BAD_VALUE",
    "listeners.web.routes",
    "routes",
    "the listener has both pool and routes",
    "Keep one: pool sends everything there, routes choose.",
  ),
  wrong(
    "empty routes",
    web({ routes: [] }),
    "CONFIG_MISSING_KEY",
    "listeners.web.routes",
    "routes",
    "the list of routes is empty",
    "Add at least one route.",
  ),
  wrong(
    "pool not defined",
    web({ pool: "ap" }),
    "CONFIG_UNKNOWN_POOL",
    "listeners.web.pool",
    '"ap"',
    'there is no pool "ap"; did you mean "app"?',
    "Use one of app, or define ap under pools.",
  ),
  wrong(
    "pool of a route not defined",
    web({ routes: [{ pool: "zzzz" }] }),
    "CONFIG_UNKNOWN_POOL",
    "listeners.web.routes[0].pool",
    '"zzzz"',
    'there is no pool "zzzz"',
    "Use one of app, or define zzzz under pools.",
  ),
  wrong(
    "no such policy",
    app({ policy: "round-robbin" }),
    "CONFIG_BAD_VALUE",
    "pools.app.policy",
    '"round-robbin"',
    '"round-robbin" is no policy; did you mean "round-robin"?',
    "Use one of round-robin, random, least-connections, two-choices, first, least-time, rendezvous, ring, maglev.",
  ),
  wrong(
    "no such mode",
    web({ pool: "app", mode: "udp" }),
    "CONFIG_BAD_VALUE",
    "listeners.web.mode",
    '"udp"',
    '"udp" is no mode',
    "Use one of http, tcp.",
  ),
  wrong(
    "pool without backends",
    app({ backends: [] }),
    "CONFIG_EMPTY_POOL",
    "pools.app.backends",
    "backends",
    "the pool has no backends",
    "Give it at least one backend.",
  ),
  wrong(
    "pool without the key backends",
    { listeners, pools: { ...pools, lonely: { policy: "random" } } },
    "CONFIG_EMPTY_POOL",
    "pools.lonely.backends",
    "lonely",
    'the key "backends" is missing',
    "Add it: a list of backends.",
  ),
  wrong(
    "bad port",
    web({ pool: "app", address: ":80800" }),
    "CONFIG_BAD_ADDRESS",
    "listeners.web.address",
    '":80800"',
    '":80800" is no address: the port must be a number from 0 to 65535, not "80800"',
    ADDRESS,
  ),
  wrong(
    "address of a backend",
    app({ backends: ["10.0.0.300:80"] }),
    "CONFIG_BAD_ADDRESS",
    "pools.app.backends[0]",
    '"10.0.0.300:80"',
    '"10.0.0.300:80" is no address: "10.0.0.300" is neither an IP address nor a host name',
    ADDRESS,
  ),
  wrong(
    "port 0 of a backend",
    app({ backends: [{ address: "a:0" }] }),
    "CONFIG_BAD_ADDRESS",
    "pools.app.backends[0].address",
    '"a:0"',
    '"a:0" is no address of a backend: nothing can be reached at port 0',
    "Use a port from 1 to 65535.",
  ),
  wrong(
    "a backend that is a number",
    app({ backends: [8001] }),
    "CONFIG_BAD_ADDRESS",
    "pools.app.backends[0]",
    "8001",
    "it must be an address or a section with address, not 8001",
    ADDRESS,
  ),
  wrong(
    "negative weight",
    app({ backends: [{ address: ":1", weight: -1 }] }),
    "CONFIG_BAD_WEIGHT",
    "pools.app.backends[0].weight",
    "-1",
    "it must be a whole number from 0 to 65535, not -1",
    WEIGHT,
  ),
  wrong(
    "fractional weight",
    app({ backends: [{ address: ":1", weight: 1.5 }] }),
    "CONFIG_BAD_WEIGHT",
    "pools.app.backends[0].weight",
    "1.5",
    "it must be a whole number from 0 to 65535, not 1.5",
    WEIGHT,
  ),
  wrong(
    "weight in words",
    app({ backends: [{ address: ":1", weight: "2" }] }),
    "CONFIG_BAD_WEIGHT",
    "pools.app.backends[0].weight",
    '"2"',
    'it must be a whole number from 0 to 65535, not "2"',
    WEIGHT,
  ),
  wrong(
    "weight in the short form",
    app({ backends: [":1,weight=x"] }),
    "CONFIG_BAD_WEIGHT",
    "pools.app.backends[0]",
    '":1,weight=x"',
    '":1,weight=x": "x" is no weight',
    WEIGHT,
  ),
  wrong(
    "duplicate backend",
    app({ backends: [":8001", { address: "http://127.0.0.1:8001" }] }),
    "CONFIG_DUPLICATE_BACKEND",
    "pools.app.backends[1].address",
    '"http://127.0.0.1:8001"',
    "127.0.0.1:8001 already stands in the pool, as backends[0]",
    "Remove one; use `weight` to send it more.",
  ),
  wrong(
    "duplicate listener",
    { listeners: { web: { address: ":8080", pool: "app" }, two: { address: "0.0.0.0:8080", pool: "app" } }, pools },
    "CONFIG_DUPLICATE_LISTENER",
    "listeners.two.address",
    '"0.0.0.0:8080"',
    '0.0.0.0:8080 of listener "two" and :8080 of listener "web" are the same address',
    "Give each its own address or port.",
  ),
  wrong(
    "listener on the admin API's address",
    web({ pool: "app", address: ":9900" }),
    "CONFIG_DUPLICATE_LISTENER",
    "listeners.web.address",
    '":9900"',
    '127.0.0.1:9900 of the admin API and :9900 of listener "web" are the same address',
    "Give each its own address or port.",
  ),
  wrong(
    "same host and path",
    web({
      routes: [
        { host: "a.com", pool: "app" },
        { host: "A.com", path: "/*", pool: "app" },
      ],
    }),
    "CONFIG_DEAD_ROUTE",
    "listeners.web.routes[1]",
    "A.com",
    "routes[0] already matches the same host and path",
    "Remove it, or change what it matches.",
  ),
  wrong(
    "path without a slash",
    web({ routes: [{ path: "v1", pool: "app" }] }),
    "CONFIG_DEAD_ROUTE",
    "listeners.web.routes[0].path",
    '"v1"',
    '"v1" never matches: every path begins with /',
    'Use "/v1".',
  ),
  wrong(
    "star in a path",
    web({ routes: [{ path: "/*/a", pool: "app" }] }),
    "CONFIG_DEAD_ROUTE",
    "listeners.web.routes[0].path",
    '"/*/a"',
    '"/*/a": * may only be the whole last segment',
    'Use "/path/*" for a prefix.',
  ),
  wrong(
    "star in a host",
    web({ routes: [{ host: "a.*", pool: "app" }] }),
    "CONFIG_DEAD_ROUTE",
    "listeners.web.routes[0].host",
    '"a.*"',
    '"a.*" is no host: * may only be its whole first label',
    'Use "*.example.com".',
  ),
  wrong(
    "host that is none",
    web({ routes: [{ host: "a b", pool: "app" }] }),
    "CONFIG_DEAD_ROUTE",
    "listeners.web.routes[0].host",
    '"a b"',
    '"a b" is no host name',
    'Use a form such as "api.example.com" or "*.example.com".',
  ),
  wrong(
    "host on tcp",
    web({ mode: "tcp", routes: [{ host: "a.com", pool: "app" }] }),
    "CONFIG_DEAD_ROUTE",
    "listeners.web.routes[0].host",
    '"a.com"',
    "a TCP connection has no host to match",
    "Remove it, or use mode http.",
  ),
  wrong(
    "two routes on tcp",
    web({ mode: "tcp", routes: [{ pool: "app" }, { pool: "app", limits: {} }] }),
    "CONFIG_DEAD_ROUTE",
    "listeners.web.routes[1]",
    "limits",
    'a listener with mode "tcp" has one route at most',
    "Keep one route, or use a listener for each pool.",
  ),
  wrong(
    "via on tcp",
    web({ mode: "tcp", pool: "app", via: true }),
    "CONFIG_UNKNOWN_KEY",
    "listeners.web.via",
    "via",
    'a listener with mode "tcp" has no "via": it never reads what passes',
    "Remove it, or use mode http.",
  ),
  wrong(
    "http timeout on tcp",
    web({ mode: "tcp", pool: "app", timeouts: { response: "1s" } }),
    "CONFIG_UNKNOWN_KEY",
    "listeners.web.timeouts.response",
    "response",
    'a listener with mode "tcp" has no "response": it never reads what passes',
    "Remove it, or use mode http.",
  ),
  wrong(
    "http limit on a tcp route",
    web({ mode: "tcp", routes: [{ pool: "app", limits: { body: 5 } }] }),
    "CONFIG_UNKNOWN_KEY",
    "listeners.web.routes[0].limits.body",
    "body",
    'a listener with mode "tcp" has no "body": it never reads what passes',
    "Remove it, or use mode http.",
  ),
  wrong(
    "bad duration",
    whole({ timeouts: { head: "5x" } }),
    "CONFIG_BAD_VALUE",
    "timeouts.head",
    '"5x"',
    '"5x" is no duration',
    'Use a number with ms, s, m, h or d, such as "250ms" or "5s".',
  ),
  wrong(
    "duration of another type",
    whole({ timeouts: { head: true } }),
    "CONFIG_BAD_VALUE",
    "timeouts.head",
    "true",
    'it must be a duration such as "250ms", "5s" or "1h", not true',
    'Write a duration such as "250ms", "5s" or "1h".',
  ),
  wrong(
    "bad size",
    whole({ limits: { body: "1 mega" } }),
    "CONFIG_BAD_VALUE",
    "limits.body",
    '"1 mega"',
    '"1 mega" is no size',
    'Use a number with B, KB, MB, GB, KiB, MiB or GiB, such as "32KiB" or "1MB".',
  ),
  wrong(
    "size out of range",
    whole({ limits: { head: 10 } }),
    "CONFIG_BAD_VALUE",
    "limits.head",
    "10",
    "10 is out of range",
    "Use a size from 256 bytes to 64KiB.",
  ),
  wrong(
    "number out of range",
    whole({ limits: { fields: 0 } }),
    "CONFIG_BAD_VALUE",
    "limits.fields",
    "fields",
    "it must be a whole number from 1 to 10000, not 0",
    "Write a whole number from 1 to 10000.",
  ),
  wrong(
    "workers",
    whole({ workers: "many" }),
    "CONFIG_BAD_VALUE",
    "workers",
    '"many"',
    'it must be a whole number from 1 to 1024, or "auto", not "many"',
    'Write a whole number from 1 to 1024, or "auto".',
  ),
  wrong(
    "trusted proxy",
    whole({ trustedProxies: ["10.0.0.0/8", "10.0.0.0/40"] }),
    "CONFIG_BAD_ADDRESS",
    "trustedProxies[1]",
    '"10.0.0.0/40"',
    '"10.0.0.0/40" is neither an IP address nor a CIDR block',
    "Use a form such as 10.0.0.7, 10.0.0.0/8 or fd00::/8.",
  ),
  wrong(
    "a list where a section stands",
    whole({ shutdown: [] }),
    "CONFIG_BAD_VALUE",
    "shutdown",
    "shutdown",
    "it must be a section with keys, not an empty list",
    "Write a section with keys.",
  ),
  wrong(
    "name of a pool",
    { listeners, pools: { ...pools, "a b": { backends: [":1"] } } },
    "CONFIG_BAD_VALUE",
    'pools["a b"]',
    "a b",
    "the name of a pool has 1 to 64 letters, digits, _, - and ., and begins with none of the last two",
    "Choose another name.",
  ),
];

function lineOf(text: string, at: string): number {
  return text.slice(0, text.indexOf(at)).split("\n").length;
}

describe.each(FORMATS)("in %s", (format) => {
  test.each(CASES.map((each) => [each.name, each] as const))(
    "%s",
    async (name, { config, code, key, at, message, mend }) => {
      const file = `${name.replaceAll(/\W/g, "-")}.${format}`;
      const text = written(config, format);
      await Bun.write(join(folder, file), text);
      const loaded = await load(file, folder, { resolve: false });
      const problems = "problems" in loaded ? loaded.problems : [];
      expect(problems.map((problem) => ({ ...problem, line: 0, column: 0 }))).toEqual([
        { code, file, line: 0, column: 0, key, message, mend },
      ]);
      const { line, column } = problems[0] ?? {};
      expect(column).toBeGreaterThan(0);
      if (at === "") return; // the file as a whole
      const expected = lineOf(text, at);
      expect({ format, line }).toEqual({ format, line: expected });
      // A value has its own column, a key or a section that of its name.
      if (at.startsWith('"') && !/backends|routes/.test(key)) {
        expect(column).toBe((text.split("\n")[expected - 1] ?? "").indexOf(at) + 1);
      }
    },
  );
});
