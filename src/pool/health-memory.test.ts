import { expect, test } from "bun:test";
import { HEALTH_FLAG, type Published } from "../observe/health-words.ts";
import { type BackendFacts, DEFAULT_HEALTH, DEFAULT_TCP_PROBE, type HealthPlan } from "../health-plan.ts";
import { seededRandom } from "../random.ts";
import type { PoolMemory } from "./health-memory.ts";
import { HealthKeeper } from "./keeper.ts";
import type { ProbeOutcome } from "./probe-state.ts";

const PROBED: HealthPlan = { ...DEFAULT_HEALTH, probe: DEFAULT_TCP_PROBE };
const FAILED: ProbeOutcome = { kind: "failed", tookMs: 1, advice: null, code: null, why: "no" };
const PASSED: ProbeOutcome = { kind: "passed", tookMs: 1, advice: null };
const members = (count: number): BackendFacts[] =>
  Array.from({ length: count }, (_, i) => ({ id: `b${i}`, weight: 1, state: "ready", tier: 0, zone: null }));
const none = { strikes: () => 0, notices: () => 0, attempts: () => 0, failures: () => 0 };

/** A keeper of another process, an hour later by its clock, that goes on with what was known. */
function heir(memory: PoolMemory, plan: HealthPlan, count: number, now: number): [HealthKeeper, Published | null] {
  const keeper = new HealthKeeper("app", null, seededRandom(1));
  // As it goes from process to process.
  keeper.recall(JSON.parse(JSON.stringify(memory)) as PoolMemory, 3_600_000);
  keeper.configure(plan, members(count), none, now + 3_600_000);
  return [keeper, keeper.look(none, now + 3_600_000).published];
}

test("who is down, ejected or in a slow start is so in another process, for as long as here", () => {
  const keeper = new HealthKeeper("app", null, seededRandom(1));
  keeper.configure(PROBED, members(4), none, 1000);
  keeper.look(none, 1000);
  for (const id of ["b0", "b1", "b2", "b3"]) keeper.probed(id, id === "b1" || id === "b3" ? FAILED : PASSED, 1000);
  keeper.look(none, 1000);
  for (let i = 0; i < DEFAULT_TCP_PROBE.rise; i++) keeper.probed("b3", PASSED, 2000);
  const struck = { ...none, strikes: (index: number) => (index === 2 ? 1 : 0) };
  const here = keeper.look(struck, 2000).published;
  const [next, there] = heir(keeper.memory, PROBED, 4, 2000);
  expect(Array.from(there?.flags ?? [])).toEqual([0, HEALTH_FLAG.down, HEALTH_FLAG.ejected, HEALTH_FLAG.ramp]);
  expect(Array.from(there?.weights ?? [])).toEqual(Array.from(here?.weights ?? []));
  const [up, down, ejected] = next.backends;
  expect([up?.probe, down?.probe]).toMatchObject([
    { kind: "up", sinceMs: 3_601_000 },
    { kind: "down", sinceMs: 3_601_000, why: "no" },
  ]);
  const before = keeper.backends[2]?.ejection;
  expect(ejected?.ejection).toMatchObject({ until: (before?.kind === "ejected" ? before.until : 0) + 3_600_000 });
});

test("another question, no probes or no look at the traffic are minded as at a reload; who is new has a slow start", () => {
  const keeper = new HealthKeeper("app", null, seededRandom(1));
  keeper.configure(PROBED, members(3), none, 0);
  keeper.probed("b0", FAILED, 0);
  keeper.look({ ...none, strikes: (index) => (index === 1 ? 1 : 0) }, 0);
  const states = (plan: HealthPlan): unknown[] =>
    heir(keeper.memory, plan, 4, 0)[0].backends.map(({ probe, ejection, rampSince }) => [
      probe.kind,
      ejection.kind,
      rampSince !== null,
    ]);
  expect(states({ ...PROBED, probe: { ...DEFAULT_TCP_PROBE, port: 81 } })[0]).toEqual(["starting", "in", false]);
  expect(states({ ...DEFAULT_HEALTH, passive: null })).toEqual([
    ["starting", "in", true],
    ["starting", "in", true],
    ["starting", "in", false],
    ["starting", "in", true],
  ]);
});
