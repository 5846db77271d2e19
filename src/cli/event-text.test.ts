import { expect, test } from "bun:test";
import type { EventView } from "../admin/model.ts";
import { eventText } from "./event-text.ts";

const event: EventView = {
  id: 1,
  time: new Date(2026, 0, 9, 8, 5, 3).toISOString(),
  level: "warn",
  event: "backend down",
  fields: { pool: "app", why: "it \u001b[2J refused" },
};

test("an event of today has its time, one of before its day too", () => {
  const line = String.raw`08:05:03 WARN  backend down pool=app why="it \u001b[2J refused"`;
  expect(eventText(event, new Date(2026, 0, 9, 23, 59))).toBe(line);
  expect(eventText(event, new Date(2026, 0, 10, 0, 0))).toBe(`2026-01-09 ${line}`);
});
