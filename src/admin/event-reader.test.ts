import { expect, test } from "bun:test";
import fc from "fast-check";
import { EventReader, type ServerSentEvent } from "./event-reader.ts";

function readIn(pieces: readonly string[]): ServerSentEvent[] {
  const reader = new EventReader();
  return pieces.flatMap((piece) => reader.push(piece));
}

test("names, data and ids are read, comments and unknown fields are not", () => {
  const text =
    ': alive\nretry: 1000\n\nid: 7\nevent: tick\ndata: {"a":1}\n\ndata: two\ndata:  lines\r\n\r\nevent: empty\n\n';
  expect(readIn([text])).toEqual([
    { event: "tick", data: '{"a":1}', id: "7" },
    { event: "message", data: "two\n lines", id: "7" },
  ]);
});

test("however the text is cut, the events are the same", () => {
  const event = fc.record({
    event: fc.stringMatching(/^[a-z ]{1,8}$/).filter((name) => name.trim() === name),
    data: fc.string().filter((data) => !/[\r\n]/.test(data)),
    id: fc.stringMatching(/^\d{1,5}$/),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), fc.array(fc.nat(300), { maxLength: 6 }), (events, cuts) => {
      const text = events.map(({ event: name, data, id }) => `id: ${id}\nevent: ${name}\ndata: ${data}\n\n`).join("");
      const at = [0, ...cuts.filter((cut) => cut <= text.length).sort((a, b) => a - b), text.length];
      expect(readIn(at.slice(1).map((end, i) => text.slice(at[i], end)))).toEqual(events);
    }),
  );
});

test("what it resumes with is the last id, of this stream or of the one before it", () => {
  const reader = new EventReader("41");
  expect([reader.lastId, reader.used]).toEqual(["41", false]);
  reader.push("id: 42\ndata: x\n\n");
  expect([reader.lastId, reader.used]).toEqual(["42", true]);
});

test("a line without end is no stream of events", () => {
  const reader = new EventReader();
  const piece = "x".repeat(1024 * 1024);
  expect(() => {
    for (let i = 0; i < 10; i++) reader.push(piece);
  }).toThrow("no stream of events");
});
