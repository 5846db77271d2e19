import { expect, test } from "bun:test";
import fc from "fast-check";
import { LiveView } from "../../admin/live-view.ts";
import { BACKEND_STATES } from "../../admin/model.ts";
import { LIVE_BACKEND_COLUMNS, LIVE_POOL_COLUMNS } from "../../admin/model-live.ts";
import { frame, type TopState } from "./frame.ts";
import { fitted, shareBar, sparkline } from "./paint.ts";

function plain(line: string): string {
  return Bun.stripANSI(line);
}

const view = fc
  .array(
    fc.record({
      name: fc.string(),
      ids: fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 60 }), { maxLength: 6 }),
    }),
    {
      maxLength: 6,
    },
  )
  .map((pools) => {
    const made = new LiveView();
    made.reshape({
      generation: 1,
      version: "1.2.3",
      listeners: [],
      pools: pools.map(({ name, ids }) => ({
        name,
        policy: "least-time",
        backends: ids.map((id) => ({ id, weight: 7 })),
      })),
      backendColumns: [...LIVE_BACKEND_COLUMNS],
      poolColumns: [...LIVE_POOL_COLUMNS],
    });
    const totals = {
      connections: 9,
      requests: 9,
      responses2xx: 9,
      responses3xx: 0,
      responses4xx: 0,
      responses5xx: 0,
      failures: 0,
      retries: 0,
      hedges: 0,
      bytesIn: 0,
      bytesOut: 0,
    };
    made.advance({
      generation: 1,
      nowTimeMs: 1000,
      phase: "running",
      workers: 2,
      connections: 3,
      inFlight: 4,
      totals,
      latency: { p50Ms: 1, p90Ms: 22, p99Ms: 3333 },
      pools: pools.map(() => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      backends: pools.map(({ ids }) =>
        ids.map((_id, i) => [i % BACKEND_STATES.length, 1, 12_345, 4, 5, 6, 7, 0.1, 90, 99_000]),
      ),
    });
    return made;
  });
const state = fc.record({
  chosen: fc.nat(40),
  lost: fc.option(fc.string({ maxLength: 30 })),
  events: fc.array(
    fc.record({
      id: fc.nat(),
      time: fc.constant("2026-01-01T00:00:00Z"),
      level: fc.constantFrom("info", "warn", "error"),
      event: fc.string({ unit: "grapheme" }),
      fields: fc.dictionary(fc.string(), fc.string()),
    }),
    { maxLength: 12 },
  ),
  said: fc.string({ unit: "grapheme" }),
}) as fc.Arbitrary<TopState>;

test("property: as many lines as the terminal has rows, none wider than it, and nothing that a terminal would obey", () => {
  fc.assert(
    fc.property(
      view,
      state,
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 5, max: 60 }),
      (seen, at, columns, rows) => {
        const lines = frame(seen, at, { columns, rows }, "12:34:56");
        expect(lines.length).toBe(rows);
        for (const line of lines) {
          expect(Bun.stringWidth(plain(line))).toBeLessThanOrEqual(columns);
          expect(plain(line)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        }
      },
    ),
  );
});

test("the chosen backend is in sight however many there are", () => {
  const made = new LiveView();
  const ids = Array.from({ length: 500 }, (_, i) => `10.0.0.${i}:80`);
  made.reshape({
    generation: 1,
    version: "1",
    listeners: [],
    pools: [{ name: "app", policy: "random", backends: ids.map((id) => ({ id, weight: 1 })) }],
    backendColumns: [...LIVE_BACKEND_COLUMNS],
    poolColumns: [...LIVE_POOL_COLUMNS],
  });
  for (const chosen of [0, 1, 250, 498, 499]) {
    const lines = frame(made, { chosen, lost: null, events: [], said: "" }, { columns: 80, rows: 24 }, "12:34:56");
    expect(lines.map(plain).find((line) => line.startsWith("▸"))).toContain(`10.0.0.${chosen}:80 `);
  }
});

test("80 columns have room for a whole address, the share and a sparkline, 96 for the weight as well", () => {
  const [made] = fc.sample(view, { numRuns: 1, seed: 1 });
  const titles = (columns: number): string =>
    plain(
      frame(
        made ?? new LiveView(),
        { chosen: 0, lost: null, events: [], said: "" },
        { columns, rows: 24 },
        "12:34:56",
      )[3] ?? "",
    );
  expect(titles(80).trim().split(/ {2,}/)).toEqual(["STATE", "BACKEND", "PER S SHARE", "P99 P90, 10 S"]);
  expect(titles(96)).toContain("WEIGHT");
  expect(Bun.stringWidth(titles(80))).toBe(80);
});

test("text is cut by its width in columns, not by its length", () => {
  expect(fitted("日本語テキスト", 7)).toBe("日本語…");
  expect(fitted("ab", 4, "right")).toBe("  ab");
  expect(fitted("abc", 0)).toBe("");
});

test("bars are eighths, and a sparkline ends with the newest", () => {
  expect([shareBar(0, 4), shareBar(0.5, 4), shareBar(0.53, 4), shareBar(2, 4)]).toEqual([
    "    ",
    "██  ",
    "██▏ ",
    "████",
  ]);
  expect(sparkline([null, 0, 5, 10], 6, 10)).toBe("   ▁▄█");
});
