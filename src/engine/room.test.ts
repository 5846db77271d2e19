import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { boundOfClients, clientsFor, descriptorsForConnections, Room, shareOf } from "./room.ts";

/** A room for clients and dialled connections, some of which are idle. */
function roomWith(clients: number, descriptors: number): { room: Room; backends: { busy: number; idle: number } } {
  const backends = { busy: 0, idle: 0 };
  const room = new Room({
    clients,
    descriptors,
    dialled: () => backends.busy + backends.idle,
    giveUpIdle: () => void (backends.idle = 0),
  });
  return { room, backends };
}

function times(count: number, what: () => boolean): boolean[] {
  return Array.from({ length: count }, what);
}

describe("a number of clients", () => {
  test("is full with the last one, and says so once", () => {
    const room = new Room(boundOfClients(3));
    expect(times(5, () => room.enter())).toEqual([false, false, true, false, false]);
    expect(room.full).toBe(true);
  });

  test("has room again below 95 %, and says so once", () => {
    const room = new Room(boundOfClients(100));
    times(100, () => room.enter());
    expect(times(7, () => room.leave())).toEqual([false, false, false, false, true, false, false]);
    expect([room.full, room.clients]).toEqual([false, 93]);
  });

  test("of one is full and empty by turns", () => {
    const room = new Room(boundOfClients(1));
    expect([room.enter(), room.leave(), room.enter(), room.leave()]).toEqual([true, true, true, true]);
  });

  test("that is infinite is never full", () => {
    const room = new Room(boundOfClients(Number.POSITIVE_INFINITY));
    expect(times(1000, () => room.enter())).not.toContain(true);
    expect(room.mayDial()).toBe(true);
  });
});

describe("file descriptors", () => {
  test("are two for each client", () => {
    const { room } = roomWith(Number.POSITIVE_INFINITY, 9);
    expect(room.most).toBe(4);
    expect(times(4, () => room.enter())).toEqual([false, false, false, true]);
  });

  test("with the smaller bound the one that holds", () => {
    expect(roomWith(3, 9).room.most).toBe(3);
    expect(roomWith(7, 9).room.most).toBe(4);
  });

  test("that idle connections hold are given up before it is full", () => {
    const { room, backends } = roomWith(Number.POSITIVE_INFINITY, 10);
    backends.idle = 9;
    expect([room.enter(), backends.idle]).toEqual([false, 0]);
  });

  test("that busy connections hold are not to be had, and it looks for them again", () => {
    const { room, backends } = roomWith(Number.POSITIVE_INFINITY, 10);
    backends.busy = 8;
    expect(room.enter()).toBe(true);
    expect(room.look()).toBe(false);
    backends.busy = 7;
    backends.idle = 3;
    expect([room.look(), backends.idle]).toEqual([true, 0]);
  });

  test("are found for a dial among the idle ones, then in the reserve, then not", () => {
    const { room, backends } = roomWith(Number.POSITIVE_INFINITY, 10);
    backends.busy = 6;
    backends.idle = 4;
    expect([room.mayDial(), backends.idle]).toEqual([true, 0]);
    backends.busy = 17;
    expect(room.mayDial()).toBe(true);
    backends.busy = 18;
    expect(room.mayDial()).toBe(false);
  });

  test("never run out, whatever comes and goes", () => {
    const step = fc.constantFrom("client comes", "client goes", "dial", "backend idle", "backend goes");
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.array(step, { maxLength: 400 }), (descriptors, steps) => {
        const { room, backends } = roomWith(Number.POSITIVE_INFINITY, descriptors);
        for (const each of steps) {
          if (each === "client comes" && !room.full) room.enter();
          else if (each === "client goes" && room.clients > 0) room.leave();
          else if (each === "dial" && backends.busy < room.clients && room.mayDial()) backends.busy += 1;
          else if (each === "backend idle" && backends.busy > 0) {
            backends.busy -= 1;
            backends.idle += 1;
          } else if (each === "backend goes" && backends.idle > 0) backends.idle -= 1;
          // A client that has gone may leave its backend busy for a while, which is what the reserve is for.
          expect(room.clients + backends.busy + backends.idle).toBeLessThanOrEqual(descriptors + 8);
          if (!room.full) expect(room.clients).toBeLessThan(clientsFor(descriptors));
        }
        // Where all is over there is room.
        backends.busy = 0;
        while (room.clients > 0) room.leave();
        expect(room.full && !room.look()).toBe(false);
      }),
    );
  });
});

test("a process keeps some for itself and its listeners", () => {
  expect(descriptorsForConnections(20_000, 2)).toBe(20_000 - 64 - 2);
  expect(descriptorsForConnections(100, 2)).toBe(48);
  expect(descriptorsForConnections(3, 2)).toBe(2);
  expect(descriptorsForConnections(Number.POSITIVE_INFINITY, 2)).toBe(Number.POSITIVE_INFINITY);
});

test("shares of all workers are even and add up, but each has at least one", () => {
  const shares = (total: number, workers: number): number[] =>
    Array.from({ length: workers }, (_, worker) => shareOf(total, worker, workers));
  expect(shares(10, 4)).toEqual([3, 3, 2, 2]);
  expect(shares(2, 3)).toEqual([1, 1, 1]);
  expect(shareOf(Number.POSITIVE_INFINITY, 1, 3)).toBe(Number.POSITIVE_INFINITY);
});
