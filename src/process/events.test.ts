import { expect, test } from "bun:test";
import { silentLog } from "../observe/log.ts";
import { Events, recorded, type WeirEvent } from "./events.ts";

test("keeps the latest events with their time, and those after an id", () => {
  let now = 100;
  const events = new Events(() => now++, 1, 3);
  for (const event of ["a", "b", "c", "d", "e", "f", "g"]) events.add("info", event);
  expect(events.recent().map(({ id, time, event }) => [id, time, event])).toEqual([
    [5, 104, "e"],
    [6, 105, "f"],
    [7, 106, "g"],
  ]);
  expect(events.recent(6).map(({ event }) => event)).toEqual(["g"]);
});

test("tells who listens, until they no longer do", () => {
  const events = new Events(() => 0);
  const heard: WeirEvent[] = [];
  const end = events.subscribe((event) => heard.push(event));
  events.add("warn", "first", { code: "X" });
  end();
  events.add("warn", "second");
  expect(heard).toEqual([{ id: 1, time: 0, level: "warn", event: "first", fields: { code: "X" } }]);
});

test("a line of the log is an event", () => {
  const lines: string[] = [];
  const events = new Events(() => 0);
  const log = recorded({ ...silentLog, error: (event) => void lines.push(event) }, events);
  log.error("worker died", { worker: 1 });
  log.info("drain begun");
  expect(lines).toEqual(["worker died"]);
  expect(events.recent().map(({ level, event, fields }) => [level, event, fields])).toEqual([
    ["error", "worker died", { worker: 1 }],
    ["info", "drain begun", {}],
  ]);
});
