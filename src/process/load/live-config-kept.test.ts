import { expect, test } from "bun:test";
import { readOverlay } from "../../config/overlay/overlay-file.ts";
import type { Change } from "../../config/overlay/overlay.ts";
import { silentLog } from "../../observe/log.ts";
import type { Plan } from "../../plan.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { LiveConfig } from "./live-config.ts";

interface Fixture extends Disposable {
  readonly folder: string;
  /** Writes a configuration with these pools, each of one backend, and a route to each of `to`. @returns its file */
  write(name: string, pools: readonly string[], more?: object): Promise<string>;
  /** Begins with a file. @param plans gets those that are brought into force */
  begun(file: string, plans?: Plan[]): Promise<LiveConfig>;
}

function fixture(): Fixture {
  const folder = temporaryFolder();
  let now = 1000;
  return {
    folder: folder.path,
    async write(name, pools, more = {}) {
      const file = `${folder.path}/${name}.json`;
      const backends = ["127.0.0.1:8001", "127.0.0.1:8002"];
      const config = {
        stateFolder: folder.path,
        listeners: { web: { address: ":1", pool: "app" } },
        pools: Object.fromEntries(pools.map((pool) => [pool, { backends }])),
        ...more,
      };
      await Bun.write(file, JSON.stringify(config));
      return file;
    },
    async begun(file, plans = []) {
      const live = new LiveConfig({ kind: "file", file, over: {} }, () => (now += 1));
      expect(await live.begin()).not.toHaveProperty("problems");
      live.attach(async (plan, { dryRun }) => {
        if (!dryRun) plans.push(plan);
        return { ok: true, generation: 2, changes: [], needsUpgrade: [], tookMs: 1 };
      }, silentLog);
      return live;
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

const weight = (of: number, to: number): Change => ({
  kind: "backend-weight",
  pool: "app",
  backend: `127.0.0.1:800${of}`,
  weight: to,
});
const weightsOf = (plan: Plan | undefined) => plan?.pools[0]?.backends.map((backend) => backend.weight);

test("a reload of another file brings the edits that are kept for it, and none is lost by the next", async () => {
  using of = fixture();
  const [one, other] = [await of.write("one", ["app"]), await of.write("other", ["app"])];
  await (await of.begun(other)).edit([weight(1, 5), weight(2, 6)], { persist: true });
  const plans: Plan[] = [];
  const live = await of.begun(one, plans);
  await live.edit([weight(2, 8)], { persist: true });
  expect(weightsOf(plans.at(-1))).toEqual([1, 8]);
  await live.reload({ file: other, dryRun: true });
  expect(live.overlay.length).toBe(1);
  await live.reload({ file: other });
  // The last edit of a thing wins, whichever file was in force when it was made.
  expect(weightsOf(plans.at(-1))).toEqual([5, 8]);
  await live.edit([{ kind: "backend-state", pool: "app", backend: "127.0.0.1:8001", state: "drain" }], {
    persist: true,
  });
  expect(readOverlay(of.folder, other).length).toBe(3);
  expect(readOverlay(of.folder, one).length).toBe(1);
  const again: Plan[] = [];
  await (await of.begun(other, again)).reload();
  expect(weightsOf(again.at(-1))).toEqual([5, 8]);
  // And back again.
  await live.reload({ file: one });
  expect(weightsOf(plans.at(-1))).toEqual([5, 8]);
});

test("edits that are kept for another file in a folder of its own are read there", async () => {
  using of = fixture();
  const one = await of.write("one", ["app"]);
  const other = await of.write("other", ["app"], { stateFolder: `${of.folder}/own` });
  await (await of.begun(other)).edit([weight(1, 5)], { persist: true });
  const plans: Plan[] = [];
  const live = await of.begun(one, plans);
  await live.reload({ file: other });
  expect(weightsOf(plans.at(-1))).toEqual([5, 1]);
});

const late = { kind: "pool-put", pool: "late", value: { backends: [":8002"] } } as const;
const toLate = { kind: "route-put", listener: "web", route: "*/x", value: { path: "/x", pool: "late" } } as const;

test("a reload that a kept edit contradicts says which, where it is and how to take it back", async () => {
  using of = fixture();
  const file = await of.write("one", ["app", "late"]);
  const live = await of.begun(file);
  await live.edit([weight(1, 2), toLate, weight(2, 3)], { persist: true });
  await of.write("one", ["app"]);
  for (const dryRun of [true, false]) {
    const report = await live.reload({ dryRun });
    const [problem] = report.ok ? [] : report.problems;
    expect(problem?.code).toBe("CONFIG_UNKNOWN_POOL");
    expect(problem?.mend).toContain('"route web:*/x is set"');
    expect(problem?.mend).toContain(`${of.folder}/overlay.json`);
    expect(problem?.mend).toContain("`DELETE /v1/routes/web%3A*%2Fx?persist=true`");
    expect(problem?.mend).not.toContain("weight");
  }
  // And so it is mended.
  const back = { kind: "route-remove", listener: "web", route: "*/x" } as const;
  expect(await live.edit([back], { persist: true })).toMatchObject({ ok: true });
  expect(await live.reload()).toMatchObject({ ok: true });
});

test("an edit that is for now is named as such, and a file that is wrong by itself has no edit to blame", async () => {
  using of = fixture();
  const live = await of.begun(await of.write("one", ["app"]));
  await live.edit([late], { persist: false });
  await live.edit([toLate], { persist: false });
  await of.write("one", ["app"], { listeners: { web: { address: ":1", pool: "nope" } } });
  const wrong = await live.reload();
  expect(!wrong.ok && wrong.problems.map(({ mend }) => mend).join()).not.toContain("edit");
  await of.write("one", ["app"], { listeners: { web: { address: ":1", mode: "tcp", pool: "app" } } });
  const report = await live.reload();
  const mend = report.ok ? "" : (report.problems[0]?.mend ?? "");
  expect(mend).toContain('"route web:*/x is set" (for now)');
  expect(mend).not.toContain("overlay.json");
});

test("a start that a kept edit contradicts says which as well", async () => {
  using of = fixture();
  const file = await of.write("one", ["app", "late"]);
  await (await of.begun(file)).edit([toLate, weight(1, 2)], { persist: true });
  await of.write("one", ["app"]);
  const first = await new LiveConfig({ kind: "file", file, over: {} }).begin();
  const [problem] = "problems" in first ? first.problems : [];
  expect(problem?.mend).toContain('"route web:*/x is set", kept in');
  expect(problem?.mend).toContain(`out of ${of.folder}/overlay.json`);
});

test("two Weirs with one configuration and folder do not lose each other's edits, and a reload takes them over", async () => {
  using of = fixture();
  const file = await of.write("one", ["app"]);
  const [plans, others]: [Plan[], Plan[]] = [[], []];
  const [live, other] = [await of.begun(file, plans), await of.begun(file, others)];
  await live.edit([weight(1, 5)], { persist: true });
  const refused = await other.edit([weight(2, 6)], { persist: true });
  const [problem] = refused.ok ? [] : refused.problems;
  expect(problem?.code).toBe("STATE_CHANGED");
  expect(problem?.message).toContain(`${of.folder}/overlay.json`);
  expect(problem?.message).toContain("app/127.0.0.1:8001 has weight 5");
  expect(others).toEqual([]);
  // What is for now touches no file.
  expect(await other.edit([weight(2, 7)], { persist: false })).toMatchObject({ ok: true });
  expect(readOverlay(of.folder, file).length).toBe(1);
  await other.reload({ dryRun: true });
  expect(await other.edit([weight(2, 6)], { persist: true })).toMatchObject({ ok: false });
  expect(await other.reload()).toMatchObject({ ok: true });
  expect(weightsOf(others.at(-1))).toEqual([5, 7]);
  expect(await other.edit([weight(2, 6)], { persist: true })).toMatchObject({ ok: true });
  expect(readOverlay(of.folder, file).length).toBe(2);
  // And the first in its turn.
  expect(await live.edit([weight(1, 4)], { persist: true })).toMatchObject({ ok: false });
  await live.reload();
  expect(weightsOf(plans.at(-1))).toEqual([5, 6]);
});

test("a successor keeps edits where its predecessor did, also while one of that is under way and taken back", async () => {
  using of = fixture();
  const file = await of.write("one", ["app"]);
  const live = await of.begun(file);
  await live.edit([weight(1, 5)], { persist: true });
  const heir = new LiveConfig({ kind: "file", file, over: {} }, () => 5000, live.overlay, live.named);
  await heir.begin();
  heir.attach(async () => ({ ok: true, generation: 2, changes: [], needsUpgrade: [], tookMs: 1 }), silentLog);
  const upgraded = Promise.withResolvers<void>();
  live.attach(async () => {
    await upgraded.promise;
    return { ok: false, problems: [] };
  }, silentLog);
  const taken = live.edit([weight(2, 6)], { persist: true });
  while (readOverlay(of.folder, file).length < 2) await new Promise((resolve) => setImmediate(resolve));
  upgraded.resolve();
  await taken;
  expect(await heir.edit([weight(2, 7)], { persist: true })).toMatchObject({ ok: true });
  expect(readOverlay(of.folder, file)).toHaveLength(2);
});

test("a reload goes on where the file of kept edits holds something else", async () => {
  using of = fixture();
  const live = await of.begun(await of.write("one", ["app"]));
  await Bun.write(`${of.folder}/overlay.json`, "nonsense");
  expect(await live.reload()).toMatchObject({ ok: true });
});
