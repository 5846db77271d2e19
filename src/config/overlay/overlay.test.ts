import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { applyOverlay, type Change, changeText, type Edit, idleEdits, type Overlay, withEdit } from "./overlay.ts";

const RAW = {
  listeners: {
    web: { address: ":8080", pool: "app" },
    api: { address: ":8081", routes: [{ host: "A.example", path: "/v1/*", pool: "app" }, { pool: "other" }] },
  },
  pools: {
    app: { backends: [":8001", "127.0.0.1:8002,weight=3", { address: "http://localhost:8003", tier: 1 }] },
    other: { policy: "random", backends: ["unix:/run/a.sock"] },
  },
};

const backend = fc.constantFrom("127.0.0.1:8001", "127.0.0.1:8002", "localhost:8003", "unix:/run/a.sock", "10.0.0.1:1");
const pool = fc.constantFrom("app", "other", "new", "__proto__");
const route = fc.constantFrom("*/*", "a.example/v1/*", "*/new");
const listener = fc.constantFrom("web", "api", "none");
const where = { pool, backend };
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant("backend-state" as const),
    ...where,
    state: fc.constantFrom("ready" as const, "drain" as const),
  }),
  fc.record({ kind: fc.constant("backend-weight" as const), ...where, weight: fc.nat(9) }),
  fc
    .record({ kind: fc.constant("backend-add" as const), ...where, weight: fc.nat(9) })
    .map(({ weight, ...rest }) => ({ ...rest, value: { address: rest.backend, weight } })),
  fc.record({ kind: fc.constant("backend-remove" as const), ...where }),
  fc.record({ kind: fc.constant("pool-put" as const), pool, value: fc.constant({ backends: ["10.0.0.1:1"] }) }),
  fc.record({ kind: fc.constant("pool-remove" as const), pool }),
  fc
    .record({ kind: fc.constant("route-put" as const), listener, route })
    .map((put) => ({ ...put, value: { ...matchOf(put.route), pool: "app" } })),
  fc.record({ kind: fc.constant("route-remove" as const), listener, route }),
);

function matchOf(key: string): { readonly host?: string; readonly path?: string } {
  if (key === "*/*") return {};
  return key === "*/new" ? { path: "/new" } : { host: "a.example", path: "/v1/*" };
}

const edit = (of: Change, persist = false): Edit => ({ change: of, persist, madeTimeMs: 0 });
const edits = fc.array(fc.record({ change, persist: fc.boolean(), madeTimeMs: fc.constant(0) }), { maxLength: 8 });
const made = (list: readonly Edit[]): Overlay => list.reduce<Overlay>(withEdit, []);

describe("for all edits", () => {
  test("twice is the same as once", () => {
    fc.assert(
      fc.property(edits, (list) => {
        const overlay = made(list);
        const once = applyOverlay(RAW, overlay);
        expect(applyOverlay(once, overlay)).toEqual(once as object);
      }),
    );
  });

  test("the last one of a thing wins: making it again changes nothing", () => {
    fc.assert(
      fc.property(edits, change, (list, last) => {
        const overlay = withEdit(made(list), edit(last));
        expect(applyOverlay(RAW, withEdit(overlay, edit(last)))).toEqual(applyOverlay(RAW, overlay) as object);
        expect(withEdit(overlay, edit(last))).toHaveLength(overlay.length);
      }),
    );
  });

  test("an overlay does what its edits did one by one", () => {
    fc.assert(
      fc.property(edits, (list) => {
        const oneByOne = list.reduce<unknown>((config, each) => applyOverlay(config, [each]), RAW);
        const names = (config: unknown): unknown => {
          const { pools } = config as typeof RAW;
          return Object.entries(pools)
            .map(([name, { backends }]) => [name, backends.length])
            .sort();
        };
        // What became of a removed pool or backend is forgotten with it, but what there is at the end is the same.
        if (list.every(({ persist }) => !persist))
          expect(names(applyOverlay(RAW, made(list)))).toEqual(names(oneByOne));
      }),
    );
  });

  test("what was written stays as it is, and an edit that does nothing is told", () => {
    const before = structuredClone(RAW);
    fc.assert(
      fc.property(edits, (list) => {
        const overlay = made(list);
        applyOverlay(RAW, overlay);
        expect(RAW).toEqual(before);
        for (const idle of idleEdits(RAW, overlay)) expect(overlay).toContain(idle);
        for (const each of overlay) expect(changeText(each.change)).not.toBe("");
        const only = overlay.filter((each) => !idleEdits(RAW, overlay).includes(each));
        expect(applyOverlay(RAW, only)).toEqual(applyOverlay(RAW, overlay) as object);
      }),
    );
  });

  test("of what is for now nothing is left once that is left out", () => {
    fc.assert(
      fc.property(edits, edits, (persisted, now) => {
        const kept = made(persisted.map((each) => ({ ...each, persist: true })));
        const overlay = now.map((each) => ({ ...each, persist: false })).reduce<Overlay>(withEdit, kept);
        expect(overlay.filter(({ persist }) => persist)).toEqual([...kept]);
      }),
    );
  });

  test("nothing that is no configuration makes it fail", () => {
    fc.assert(
      fc.property(fc.anything(), edits, (raw, list) => {
        expect(() => [applyOverlay(raw, made(list)), idleEdits(raw, made(list))]).not.toThrow();
      }),
    );
  });
});

test("a backend is found in whatever form it was written, and keeps its other keys", () => {
  const overlay = made([
    edit({ kind: "backend-state", pool: "app", backend: "127.0.0.1:8001", state: "drain" }),
    edit({ kind: "backend-state", pool: "app", backend: "127.0.0.1:8002", state: "maintenance" }),
    edit({ kind: "backend-weight", pool: "app", backend: "localhost:8003", weight: 7 }),
  ]);
  expect((applyOverlay(RAW, overlay) as typeof RAW).pools.app.backends as unknown).toEqual([
    { address: "127.0.0.1:8001", weight: 1, state: "drain" },
    { address: "127.0.0.1:8002", weight: 3, state: "maintenance" },
    { address: "http://localhost:8003", tier: 1, weight: 7 },
  ]);
});

test("a listener that names a pool comes to have routes", () => {
  const value = { path: "/new", pool: "other" };
  const overlay = made([edit({ kind: "route-put", listener: "web", route: "*/new", value })]);
  expect((applyOverlay(RAW, overlay) as typeof RAW).listeners.web as unknown).toEqual({
    address: ":8080",
    routes: [{ pool: "app" }, value],
  });
});

test("a pool named __proto__ is a pool like any other, and no prototype", () => {
  const overlay = made([edit({ kind: "pool-put", pool: "__proto__", value: { backends: [":1"] } })]);
  const { pools } = applyOverlay(RAW, overlay) as typeof RAW;
  expect(Object.keys(pools)).toEqual(["app", "other", "__proto__"]);
  expect(Object.getPrototypeOf(pools)).toBe(Object.prototype);
});

test("a pool that is set anew forgets the edits of its backends", () => {
  const overlay = made([
    edit({ kind: "backend-weight", pool: "app", backend: "127.0.0.1:8001", weight: 5 }),
    edit({ kind: "pool-put", pool: "app", value: { backends: [":8001"] } }),
  ]);
  expect(overlay).toHaveLength(1);
});
