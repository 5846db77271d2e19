import { expect, test } from "bun:test";
import { readOverlay } from "../../config/overlay/overlay-file.ts";
import { silentLog } from "../../observe/log.ts";
import type { Plan } from "../../plan.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import type { ApplyReport } from "../supervise/apply-report.ts";
import { LiveConfig } from "./live-config.ts";

function applied(): ApplyReport {
  return { ok: true, generation: 2, changes: [], needsUpgrade: [], tookMs: 1 };
}

const refused: ApplyReport = { ok: false, problems: [] };

interface Fixture extends Disposable {
  readonly live: LiveConfig;
  readonly file: string;
  readonly folder: string;
  /** Plans that were brought into force, or should have been. */
  readonly plans: Plan[];
  /** What comes of the next ones. */
  report: () => ApplyReport | Promise<ApplyReport>;
  write(weight: number): Promise<void>;
}

async function fixture(): Promise<Fixture> {
  const folder = temporaryFolder();
  const file = `${folder.path}/weir.json`;
  const made: Fixture = {
    live: new LiveConfig({ kind: "file", file, over: { workers: 2 } }, () => 1000),
    file,
    folder: folder.path,
    plans: [],
    report: applied,
    async write(weight) {
      const config = {
        stateFolder: folder.path,
        listeners: { web: { address: ":1", pool: "app" } },
        pools: { app: { backends: [`127.0.0.1:8001,weight=${weight}`] } },
      };
      await Bun.write(file, JSON.stringify(config));
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
  await made.write(1);
  return made;
}

async function begun(of: Fixture): Promise<LiveConfig> {
  await of.live.begin();
  of.live.attach(async (plan) => {
    of.plans.push(plan);
    return of.report();
  }, silentLog);
  return of.live;
}

function weightOf(plan: Plan | undefined): number | undefined {
  return plan?.pools[0]?.backends[0]?.weight;
}

const weight = (to: number) =>
  ({ kind: "backend-weight", pool: "app", backend: "127.0.0.1:8001", weight: to }) as const;

test("a reload reads the file anew, with what stands over it and the edits", async () => {
  using of = await fixture();
  const live = await begun(of);
  await of.write(3);
  expect(await live.reload()).toMatchObject({ ok: true });
  expect(of.plans.at(-1)).toMatchObject({ workers: 2 });
  expect(weightOf(of.plans.at(-1))).toBe(3);
  await live.edit([weight(9)], { persist: false });
  await of.write(4);
  await live.reload();
  expect(of.plans.map(weightOf)).toEqual([3, 9, 9]);
});

test("an edit that persists is there after a restart; one for now, or one that was refused, is not", async () => {
  using of = await fixture();
  const live = await begun(of);
  await live.edit([weight(5)], { persist: true });
  await live.edit([weight(6)], { persist: false });
  of.report = () => refused;
  expect(await live.edit([weight(7)], { persist: true })).toEqual(refused);
  expect(live.overlay.map(({ change }) => "weight" in change && change.weight)).toEqual([5, 6]);
  expect(readOverlay(of.folder, of.file).length).toBe(1);

  const again = new LiveConfig({ kind: "file", file: of.file, over: {} });
  const first = await again.begin();
  expect("plan" in first && weightOf(first.plan)).toBe(5);
});

test("an edit that makes the configuration wrong changes nothing, and says what is wrong", async () => {
  using of = await fixture();
  const live = await begun(of);
  expect(await live.edit([weight(-1)], { persist: true })).toMatchObject({
    ok: false,
    problems: [{ code: "CONFIG_BAD_WEIGHT" }],
  });
  expect(of.plans).toEqual([]);
  expect(live.overlay).toEqual([]);
});

test("a dry run keeps nothing", async () => {
  using of = await fixture();
  const live = await begun(of);
  await live.edit([weight(5)], { persist: true, dryRun: true });
  expect(live.overlay).toEqual([]);
  expect(readOverlay(of.folder, of.file)).toEqual([]);
  const other = `${of.folder}/other.json`;
  await Bun.write(other, await Bun.file(of.file).text());
  await live.reload({ file: other, dryRun: true });
  expect(live.file).toBe(of.file);
  await live.reload({ file: other });
  expect(live.file).toBe(other);
});

test("changes that are asked for at once are made one after another, in their order", async () => {
  using of = await fixture();
  const live = await begun(of);
  let under = 0;
  of.report = async () => {
    under += 1;
    expect(under).toBe(1);
    await Bun.sleep(1);
    under -= 1;
    return applied();
  };
  await Promise.all([2, 3, 4, 5].map((to) => live.edit([weight(to)], { persist: false })));
  expect(of.plans.map(weightOf)).toEqual([2, 3, 4, 5]);
});

test("before it runs nothing can be changed", async () => {
  using of = await fixture();
  await of.live.begin();
  expect(await of.live.reload()).toMatchObject({ ok: false, problems: [{ code: "NOT_RUNNING" }] });
});

test("what a predecessor hands over holds in the place of what was kept", async () => {
  using of = await fixture();
  const live = await begun(of);
  await live.edit([weight(5)], { persist: true });
  const edits = [{ change: weight(8), persist: false, madeTimeMs: 1 }];
  const heir = new LiveConfig({ kind: "file", file: of.file, over: {} }, Date.now, edits);
  const first = await heir.begin();
  expect("plan" in first && weightOf(first.plan)).toBe(8);
});

const late = { kind: "pool-put" as const, pool: "late", value: { backends: [":8002"] } };
const toLate = { kind: "route-put" as const, listener: "web", route: "*/x", value: { path: "/x", pool: "late" } };

test("an edit that persists does not lean on one that is for now", async () => {
  using of = await fixture();
  const live = await begun(of);
  expect(await live.edit([late], { persist: false })).toMatchObject({ ok: true });
  const report = await live.edit([toLate], { persist: true });
  expect(report).toMatchObject({ ok: false, problems: [{ code: "CONFIG_UNKNOWN_POOL" }] });
  expect(readOverlay(of.folder, of.file)).toEqual([]);
  expect(await live.edit([toLate], { persist: false })).toMatchObject({ ok: true });
});

test("a file that only what was kept makes wrong does not start, and it is said where that is", async () => {
  using of = await fixture();
  const live = await begun(of);
  const config = (await Bun.file(of.file).json()) as { pools: object };
  await Bun.write(of.file, JSON.stringify({ ...config, pools: { ...config.pools, late: late.value } }));
  expect(await live.reload()).toMatchObject({ ok: true });
  expect(await live.edit([toLate], { persist: true })).toMatchObject({ ok: true });
  await of.write(1);
  const first = await new LiveConfig({ kind: "file", file: of.file, over: {} }).begin();
  const [problem] = "problems" in first ? first.problems : [];
  expect(problem?.code).toBe("CONFIG_UNKNOWN_POOL");
  expect(problem?.mend).toContain(`${of.folder}/overlay.json`);
});

test("a file that a reload has named is the one that a successor is told of", async () => {
  using of = await fixture();
  const live = await begun(of);
  const other = `${of.folder}/other.json`;
  await Bun.write(other, (await Bun.file(of.file).text()).replace("weight=1", "weight=9"));
  expect(live.named).toBe(null);
  const told: number[] = [];
  live.onRead((atMs) => told.push(atMs));
  await live.reload({ file: other });
  expect(live.named).toBe(other);
  await live.reload();
  expect(live.named).toBe(other);
  expect(told).toEqual([1000, 1000]);
  const heir = new LiveConfig({ kind: "file", file: of.file, over: {} }, Date.now, [], live.named);
  const first = await heir.begin();
  expect("plan" in first && weightOf(first.plan)).toBe(9);
});
