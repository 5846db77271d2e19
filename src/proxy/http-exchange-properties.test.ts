import { expect, test } from "bun:test";
import fc from "fast-check";
import { type FakeOutbound, upload } from "../../test/fixtures/fake-streams.ts";
import { BACKENDS, PAUSE_MS, Stage } from "../../test/fixtures/exchange-stage.ts";

test("property: whatever happens in whatever order, there is one end for the client, and nothing stays in flight", () => {
  const event = fc.constantFrom(
    "upload",
    "upload end",
    "client blocked",
    "client writable",
    "client breaks its body",
    "open",
    "backend blocked",
    "backend writable",
    "interim",
    "head",
    "send",
    "end",
    "refused",
    "reset",
    "incomplete",
    "time",
  );
  const request = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT"),
    framing: fc.constantFrom("none" as const, "chunked" as const),
    upgrade: fc.constantFrom("", "chat"),
  });
  const prepared = fc.record({ idle: fc.boolean(), failsAtOnce: fc.boolean() });
  fc.assert(
    fc.property(
      request,
      fc.tuple(prepared, prepared, prepared),
      fc.array(event, { maxLength: 25 }),
      (head, ways, events) => {
        const stage = new Stage(head, (links) => links.forEach((link, index) => Object.assign(link, ways[index])));
        const { client, exchange, time } = stage;
        let uploading = head.framing === "chunked";
        let responding = false;
        for (const what of events) {
          if (!client.over && !stage.tries) time.pass(PAUSE_MS);
          if (client.over) break;
          const { backend } = stage;
          if (what === "upload" && uploading && !client.paused) upload(exchange, "x");
          else if (what === "upload end" && uploading) {
            uploading = false;
            exchange.requestEnd(null);
          } else if (what === "client blocked") client.blocked = true;
          else if (what === "client writable") {
            client.blocked = false;
            exchange.clientWritable();
          } else if (what === "client breaks its body" && uploading) {
            uploading = false;
            exchange.requestFailed("CLIENT_BAD_BODY", "");
          } else if (what === "time") time.pass(20_000);
          else if (what === "refused" && !backend.ready) backend.fail("BACKEND_REFUSED");
          else if (what === "open" && !backend.ready) backend.open();
          else if (!backend.sent) continue;
          else if (what === "backend blocked") backend.blocked = true;
          else if (what === "backend writable") {
            backend.blocked = false;
            backend.events.backendWritable();
          } else if (what === "reset" && !responding) backend.fail("BACKEND_RESET");
          else if (what === "incomplete") backend.fail("BACKEND_INCOMPLETE");
          else if (what === "interim" && !responding) backend.respond(103);
          else if (what === "head" && !responding) {
            responding = true;
            backend.respond(200);
          } else if (what === "send" && responding) backend.send("y");
          else if (what === "end" && responding) backend.end();
        }
        if (!client.over) exchange.requestFailed("CLIENT_GONE", "");
        expect(stage.inFlight()).toBe(0);
        expect(time.wheel.idle).toBe(true);
        for (const stream of stage.links.flatMap(({ streams }) => streams)) expect(stream.over).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

test("property: with retries and hedges too, and a response is that of one attempt alone", () => {
  const event = fc.record({
    what: fc.constantFrom(
      "open",
      "head",
      "busy",
      "send",
      "end",
      "reset",
      "incomplete",
      "interim",
      "time",
      "upload end",
    ),
    /** Which of the streams that are open. */
    which: fc.nat(2),
  });
  const request = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT"),
    framing: fc.constantFrom("none" as const, "chunked" as const),
  });
  const settings = fc.record({
    retry: fc.record({
      attempts: fc.integer({ min: 1, max: 4 }),
      on: fc.subarray(["connect-failure", "refused", "reset", "timeout"] as const),
      statuses: fc.constantFrom([], [[503, 503] as const]),
      attemptMs: fc.constantFrom(0, 500),
    }),
    hedge: fc.constantFrom(null, { after: { kind: "time" as const, milliseconds: 100 }, budget: 1 }),
    totalMs: fc.constantFrom(0, 2000),
  });
  fc.assert(
    fc.property(
      request,
      fc.array(fc.boolean(), { minLength: BACKENDS, maxLength: BACKENDS }),
      settings,
      fc.array(event, { maxLength: 30 }),
      (head, idle, given, events) => {
        const stage = new Stage(
          head,
          (links) => links.forEach((link, at) => Object.assign(link, { idle: idle[at] })),
          null,
          given,
        );
        const { client, exchange, time } = stage;
        const streams = (): FakeOutbound[] => stage.links.flatMap((link) => link.streams);
        const responding = new Set<FakeOutbound>();
        const sent = new Map<FakeOutbound, string>();
        let uploading = head.framing === "chunked";
        for (const { what, which } of events) {
          if (client.over) break;
          const open = streams().filter(({ over }) => !over);
          const stream = open[which % Math.max(1, open.length)];
          if (what === "time") time.pass(150);
          else if (what === "upload end" && uploading) {
            uploading = false;
            upload(exchange, "body");
            exchange.requestEnd(null);
          } else if (stream === undefined) continue;
          else if (what === "open" && !stream.ready) stream.open();
          else if (!stream.sent) continue;
          else if ((what === "head" || what === "busy") && !responding.has(stream)) {
            responding.add(stream);
            stream.respond(what === "head" ? 200 : 503);
          } else if (what === "interim" && !responding.has(stream)) stream.respond(103);
          else if (what === "send" && responding.has(stream)) {
            const text = String.fromCharCode(97 + streams().indexOf(stream));
            sent.set(stream, (sent.get(stream) ?? "") + text);
            stream.send(text);
          } else if (what === "end" && responding.has(stream)) stream.end();
          else if (what === "reset" && !responding.has(stream)) stream.fail("BACKEND_RESET");
          else if (what === "incomplete") stream.fail("BACKEND_INCOMPLETE");
        }
        if (!client.over) exchange.requestFailed("CLIENT_GONE", "");
        // A response that was left unsent has a second to end.
        time.pass(5000);
        expect(stage.inFlight()).toBe(0);
        expect(time.wheel.idle).toBe(true);
        for (const stream of streams()) expect(stream.over).toBe(true);
        const asked = streams().filter((stream) => stream.asked.some((each) => each !== "cancel" && each !== "end"));
        if (head.method === "POST") expect(asked.length).toBeLessThanOrEqual(1);
        // Repeated over fresh connections, and once beside for the hedge.
        expect(streams().length).toBeLessThanOrEqual(2 * (given.retry.attempts + (given.hedge === null ? 1 : 2)));
        const error = /^\d{3} .*\n/.test(client.body);
        if (client.body !== "" && !error) expect([...sent.values()]).toContain(client.body);
      },
    ),
    { numRuns: 3000 },
  );
});
