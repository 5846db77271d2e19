import { expect, test } from "bun:test";
import { ERRORS } from "../errors.ts";
import { limitedLog } from "./limited-log.ts";
import type { Log, LogFields } from "./log.ts";

/** A limited log whose time the test moves. */
class Stage {
  now = 0;
  readonly lines: string[] = [];
  readonly log: Log;
  #waiting: { readonly at: number; readonly call: () => void }[] = [];

  constructor() {
    const say = (event: string, fields: LogFields = {}): void => {
      const { more = 0, detail = "" } = fields;
      this.lines.push(`${this.now} ${event} ${fields["backend"] ?? "-"} ${detail} ${more}`);
    };
    this.log = limitedLog({ info: say, warn: say, error: say }, { now: () => this.now }, (ms, call) => {
      this.#waiting.push({ at: this.now + ms, call });
    });
  }

  /** Moves the time, and lets happen what is due. */
  pass(ms: number): void {
    this.now += ms;
    const due = this.#waiting.filter(({ at }) => at <= this.now);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.now);
    for (const { call } of due) call();
  }

  get waiting(): number {
    return this.#waiting.length;
  }
}

test("the first is told at once, repetitions as one summary of the last in ten seconds", () => {
  const stage = new Stage();
  for (let i = 0; i < 5; i++) stage.log.warn("backend failed", { code: "BACKEND_RESET", backend: "a", detail: `${i}` });
  expect(stage.lines).toEqual(["0 backend failed a 0 0"]);
  stage.pass(10_000);
  expect(stage.lines.slice(1)).toEqual(["10000 backend failed a 4 4"]);
  stage.log.warn("backend failed", { code: "BACKEND_RESET", backend: "a", detail: "5" });
  expect(stage.lines).toHaveLength(2);
  stage.pass(10_000);
  expect(stage.lines.slice(2)).toEqual(["20000 backend failed a 5 1"]);
  stage.pass(10_000);
  expect([stage.lines.length, stage.waiting]).toEqual([3, 0]);
  stage.log.warn("backend failed", { code: "BACKEND_RESET", backend: "a", detail: "6" });
  expect(stage.lines.slice(3)).toEqual(["30000 backend failed a 6 0"]);
});

test("what is about something else, or at level info, is told of each time", () => {
  const stage = new Stage();
  stage.log.warn("backend failed", { code: "BACKEND_RESET", backend: "a" });
  stage.log.warn("backend failed", { code: "BACKEND_RESET", backend: "b" });
  stage.log.warn("backend failed", { code: "BACKEND_REFUSED", backend: "a" });
  stage.log.error("backend failed", { code: "BACKEND_RESET", backend: "a" });
  stage.log.error("worker died", { worker: 0, pid: 1 });
  stage.log.error("worker died", { worker: 0, pid: 2 });
  stage.log.info("worker started");
  stage.log.info("worker started");
  expect(stage.lines).toHaveLength(8);
});

test("a code is told with what it means and how to mend it, unless that is said already", () => {
  const told: LogFields[] = [];
  const say = (_event: string, fields: LogFields = {}): void => void told.push(fields);
  const log = limitedLog({ info: say, warn: say, error: say }, { now: () => 0 }, () => {});
  log.warn("backend failed", { code: "BACKEND_REFUSED", backend: "a" });
  log.error("configuration refused", { code: "CONFIG_BAD_VALUE", mend: "Use 1." });
  log.warn("worker died", { code: "whatever" });
  const { meaning: what, mend } = ERRORS.BACKEND_REFUSED;
  expect(told).toEqual([
    { code: "BACKEND_REFUSED", backend: "a", what, mend },
    { code: "CONFIG_BAD_VALUE", what: ERRORS.CONFIG_BAD_VALUE.meaning, mend: "Use 1." },
    { code: "whatever" },
  ]);
});

test("what is remembered has a bound; beyond it nothing is kept back", () => {
  const stage = new Stage();
  for (let i = 0; i < 3000; i++) stage.log.warn("backend failed", { backend: `${i}` });
  expect([stage.lines.length, stage.waiting]).toEqual([3000, 1000]);
});

test("of writes and of losses each is told, as each has something of its own to say", () => {
  const stage = new Stage();
  for (const detail of ["a", "b"]) stage.log.warn("admin write", { code: "CONFIG_BAD_ADDRESS", detail });
  for (const detail of ["256", "344"]) stage.log.warn("traces lost", { code: "TRACES_LOST", to: "x", detail });
  for (const detail of ["1", "2"])
    stage.log.warn("access log lines lost", { code: "ACCESS_LOG_LOST", to: "x", detail });
  expect(stage.lines.map((line) => line.split(" ").at(-2))).toEqual(["a", "b", "256", "344", "1", "2"]);
  expect(stage.waiting).toBe(0);
});
