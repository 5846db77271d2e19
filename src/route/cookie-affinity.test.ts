import { describe, expect, test } from "bun:test";
import { requestHead } from "../../test/fixtures/head-text.ts";
import { hmacSha256 } from "../engine/affinity.ts";
import type { Head } from "../http/head.ts";
import { HEALTH_FLAG, HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import { CookieAffinity } from "./cookie-affinity.ts";

const { down, ejected, drain, maintenance, ramp, pinned } = HEALTH_FLAG;
const BACKENDS = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"];
const ROWS = [4, 2, 0];
const START_MS = 1_800_000_000_000;

/** Affinity whose time and flags a test sets. */
class Bench {
  now = START_MS;
  readonly words: HealthWords;
  readonly affinity: CookieAffinity;

  constructor(ttlSeconds: number | null = null, secret = "a secret of the tests") {
    const shape = { pools: 1, rows: 5 };
    this.words = new HealthWords(new ArrayBuffer(healthWordsBytes(shape)), shape);
    this.affinity = new CookieAffinity({
      plan: { cookie: "weir", path: "/", ttlSeconds },
      pool: "app",
      backends: BACKENDS,
      mac: hmacSha256(secret),
      words: this.words,
      rows: ROWS,
      clock: { now: () => this.now },
    });
  }

  flags(...flags: readonly number[]): void {
    this.words.publish(0, ROWS, { weights: [1, 1, 1], flags, panic: false, scale: 1 });
  }

  /** The value that pins to a backend. */
  value(index: number): string {
    const line = this.affinity.fieldFor(asking(), index)?.toString() ?? "";
    return /^Set-Cookie: weir=([^;]+);/.exec(line)?.[1] ?? "";
  }
}

function asking(...cookies: readonly string[]): Head {
  return requestHead(`GET / HTTP/1.1\r\nHost: a\r\n${cookies.map((cookie) => `Cookie: ${cookie}\r\n`).join("")}\r\n`);
}

const pinnedTo = (bench: Bench, ...cookies: readonly string[]): number => bench.affinity.pinnedOf(asking(...cookies));

describe("pinnedOf", () => {
  test("finds the backend wherever the cookie stands", () => {
    const bench = new Bench();
    const value = bench.value(2);
    for (const cookies of [[`weir=${value}`], [`a=1; weir=${value}; b=2`], ["a=1", `weir=${value} `]])
      expect(pinnedTo(bench, ...cookies)).toBe(2);
  });

  test("is -1 without the cookie, with one of another name and with one that is not ours", () => {
    const bench = new Bench();
    const value = bench.value(2);
    const stranger = new Bench(null, "the secret of others").value(2);
    for (const cookie of [
      "a=1",
      `Weir=${value}`,
      `xweir=${value}`,
      "weir=",
      "weir=1",
      `weir="${value}"`,
      `weir=${stranger}`,
    ])
      expect({ cookie, index: pinnedTo(bench, cookie) }).toEqual({ cookie, index: -1 });
    expect(pinnedTo(bench)).toBe(-1);
  });

  test("is -1 while the backend is out, and the backend again when it is not", () => {
    const bench = new Bench();
    const cookie = `weir=${bench.value(0)}`;
    for (const out of [down, ejected, maintenance, drain, down | drain | pinned, ejected | drain | pinned]) {
      bench.flags(out, 0, 0);
      expect({ out, index: pinnedTo(bench, cookie) }).toEqual({ out, index: -1 });
    }
    for (const may of [0, ramp, drain | pinned]) {
      bench.flags(may, down, down);
      expect({ may, index: pinnedTo(bench, cookie) }).toEqual({ may, index: 0 });
    }
  });

  test("keeps the clients of a backend whose weight is 0", () => {
    const bench = new Bench();
    bench.words.publish(0, ROWS, { weights: [0, 1, 1], flags: [0, 0, 0], panic: false, scale: 1 });
    expect(pinnedTo(bench, `weir=${bench.value(0)}`)).toBe(0);
  });
});

describe("fieldFor", () => {
  test("sets no cookie where the client has the right one", () => {
    const bench = new Bench();
    const cookie = asking(`weir=${bench.value(1)}`);
    expect(bench.affinity.fieldFor(cookie, 1)).toBeNull();
    bench.now += 10 * 365 * 86_400_000;
    expect(bench.affinity.fieldFor(cookie, 1)).toBeNull();
  });

  test("sets one where the client has none, another's, or one that is not ours", () => {
    const bench = new Bench();
    for (const cookies of [[], [`weir=${bench.value(0)}`], ["weir=forged"]]) {
      const line = bench.affinity.fieldFor(asking(...cookies), 1)?.toString();
      expect(line).toBe(`Set-Cookie: weir=${bench.value(1)}; Path=/; HttpOnly; SameSite=Lax\r\n`);
      expect(pinnedTo(bench, `weir=${bench.value(1)}`)).toBe(1);
    }
  });

  test("makes one line for all clients of a second", () => {
    const bench = new Bench();
    const first = bench.affinity.fieldFor(asking(), 1);
    bench.now += 999;
    expect(bench.affinity.fieldFor(asking(), 1)).toBe(first);
    bench.now += 1;
    expect(bench.affinity.fieldFor(asking(), 1)).not.toEqual(first);
  });
});

describe("a cookie with a ttl", () => {
  test("is renewed when less than half of its time is left", () => {
    const bench = new Bench(100);
    const cookie = asking(`weir=${bench.value(1)}`);
    expect(bench.affinity.fieldFor(asking(), 1)?.toString()).toContain("; Path=/; Max-Age=100; HttpOnly");
    bench.now += 50_000;
    expect(bench.affinity.fieldFor(cookie, 1)).toBeNull();
    bench.now += 1000;
    expect(bench.affinity.pinnedOf(cookie)).toBe(1);
    const renewed = bench.affinity.fieldFor(cookie, 1)?.toString() ?? "";
    expect(renewed).toContain("; Max-Age=100;");
    bench.now += 99_000;
    expect(bench.affinity.pinnedOf(asking(renewed.slice("Set-Cookie: ".length, renewed.indexOf(";"))))).toBe(1);
  });

  test("is none after its time, though the client still sends it", () => {
    const bench = new Bench(100);
    const cookie = asking(`weir=${bench.value(1)}`);
    bench.now += 99_999;
    expect(bench.affinity.pinnedOf(cookie)).toBe(1);
    bench.now += 1;
    expect(bench.affinity.pinnedOf(cookie)).toBe(-1);
    expect(bench.affinity.fieldFor(cookie, 1)).not.toBeNull();
  });

  test("of a Weir whose clock is ahead holds", () => {
    const [ahead, bench] = [new Bench(100), new Bench(100)];
    ahead.now += 30_000;
    expect(pinnedTo(bench, `weir=${ahead.value(2)}`)).toBe(2);
  });
});

describe("explain", () => {
  test("says of a cookie whose it is, and why it counts or does not", () => {
    const bench = new Bench(100);
    const cookie = asking(`weir=${bench.value(1)}`);
    expect(bench.affinity.explain(cookie)).toEqual({
      cookie: "weir",
      named: 1,
      pinned: 1,
      why: "its backend takes it",
    });
    bench.flags(0, down, 0);
    expect(bench.affinity.explain(cookie)).toMatchObject({
      named: 1,
      pinned: -1,
      why: expect.stringContaining("takes no"),
    });
    bench.now += 100_000;
    expect(bench.affinity.explain(cookie)).toMatchObject({
      named: 1,
      pinned: -1,
      why: expect.stringContaining("expired"),
    });
    const strange = asking(`weir=${new Bench(100, "another secret of them").value(1)}`);
    expect(bench.affinity.explain(strange)).toMatchObject({
      named: -1,
      pinned: -1,
      why: expect.stringContaining("secret"),
    });
    expect(bench.affinity.explain(asking("a=b"))).toMatchObject({ named: -1, why: "the request has no such cookie" });
  });
});
