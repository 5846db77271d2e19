import { expect, test } from "bun:test";
import type { LogFields } from "../observe/log.ts";
import type { Row } from "../observe/counters.ts";
import { Door } from "./door.ts";
import { Entrance } from "./entrance.ts";
import { boundOfClients, Room } from "./room.ts";

/** A listener that only tells what it was told. */
function fakeDoor(told: string[], name: string, pausable = true): Door {
  const counted: Pick<Row, "add"> = { add: () => void told.push(`${name} counted`) };
  const door = new Door(counted as Row);
  door.begin({
    port: 0,
    stop: () => void told.push(`${name} stopped`),
    ...(pausable
      ? { pause: () => told.push(`${name} paused`) > 0, resume: () => void told.push(`${name} resumed`) }
      : {}),
  });
  return door;
}

/** An entrance with room for some, whose time stands still until it is moved. */
function fakeEntrance(most: number): {
  entrance: Entrance;
  lines: string[];
  pass: (milliseconds: number) => void;
  looks: Set<() => void>;
} {
  let nowMs = 0;
  const lines: string[] = [];
  const looks = new Set<() => void>();
  const say = (event: string, fields: LogFields = {}): void =>
    void lines.push(`${event} ${fields["clients"]} ${fields["pauses"] ?? ""}`.trim());
  const entrance = new Entrance({
    room: new Room(boundOfClients(most)),
    bound: "limits.connections",
    listener: "web",
    bounds: [],
    log: { info: say, warn: say, error: say },
    clock: { now: () => nowMs },
    tick(_everyMs, look) {
      looks.add(look);
      return () => void looks.delete(look);
    },
  });
  const pass = (milliseconds: number): void => {
    nowMs += milliseconds;
    for (const look of looks) look();
  };
  return { entrance, lines, pass, looks };
}

test("listeners of a full room are paused, and go on when it has room again", () => {
  const told: string[] = [];
  const { entrance, lines } = fakeEntrance(2);
  entrance.add(fakeDoor(told, "a"));
  entrance.add(fakeDoor(told, "b"));
  entrance.enter();
  expect(told).toEqual([]);
  entrance.enter();
  expect(told.splice(0)).toEqual(["a counted", "a paused", "b counted", "b paused"]);
  entrance.leave();
  expect(told).toEqual(["a resumed", "b resumed"]);
  expect(lines).toEqual(["accepting paused 2", "accepting resumed 1 1"]);
});

test("a listener in two rooms that are full goes on when both have room", () => {
  const told: string[] = [];
  const whole = fakeEntrance(1).entrance;
  const own = fakeEntrance(1).entrance;
  const door = fakeDoor(told, "a");
  for (const entrance of [whole, own]) {
    entrance.add(door);
    entrance.enter();
  }
  expect(told.splice(0)).toEqual(["a counted", "a paused"]);
  own.leave();
  expect(told).toEqual([]);
  whole.leave();
  expect(told).toEqual(["a resumed"]);
});

test("what flutters is told of at most once in five seconds, and what lasts then", () => {
  const { entrance, lines, pass, looks } = fakeEntrance(1);
  for (let i = 0; i < 10; i++) {
    entrance.enter();
    pass(1);
    entrance.leave();
  }
  expect(lines.splice(0)).toEqual(["accepting paused 1", "accepting resumed 0 1"]);
  entrance.enter();
  pass(4000);
  expect(lines).toEqual([]);
  pass(1000);
  expect(lines.splice(0)).toEqual(["accepting paused 1"]);
  entrance.leave();
  expect(lines).toEqual(["accepting resumed 0 10"]);
  expect(looks.size).toBe(0);
});

test("a listener that cannot be paused turns away, and only then", () => {
  const { entrance } = fakeEntrance(1);
  const door = fakeDoor([], "a", false);
  const other = fakeDoor([], "b");
  entrance.add(door);
  entrance.add(other);
  expect(door.turnsAway).toBe(false);
  entrance.enter();
  expect([door.turnsAway, other.turnsAway]).toEqual([true, false]);
  entrance.leave();
  expect(door.turnsAway).toBe(false);
});

test("after its end a room lets nobody in again and says nothing", () => {
  const told: string[] = [];
  const { entrance, lines, looks } = fakeEntrance(1);
  const door = fakeDoor(told, "a");
  entrance.add(door);
  entrance.enter();
  entrance.stop();
  door.end();
  entrance.leave();
  expect(told).toEqual(["a counted", "a paused", "a stopped"]);
  expect(lines).toEqual(["accepting paused 1"]);
  expect(looks.size).toBe(0);
});
