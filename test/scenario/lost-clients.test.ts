import { expect, test } from "bun:test";
import { until } from "../fixtures/cluster.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { backend, client, get, weir } from "../fixtures/http.ts";
import { passUntil } from "../fixtures/pass-until.ts";
import { connectRaw, type RawConnection, rawServer } from "../fixtures/raw.ts";

// A client that Weir does not read is reset, and the first to see it is a write: the system tells of that reset no more.

const MiB = 2 ** 20;
/** Far more than the system's own buffers hold. */
const MUCH = 64 * MiB;

/**
 * Lets the backend send, and resets the client when the event loop has the bytes in hand: behind the look for what has happened on the client's
 * connection, and before they are passed on. What is ready at once is told in the order in which it became ready.
 */
async function sendInto(user: RawConnection, app: RawConnection, bytes: string | Uint8Array): Promise<void> {
  await using before = rawServer({ onData: () => user.reset() });
  await using hand = await connectRaw(before.port);
  await before.connection(0);
  hand.send("now");
  app.send(bytes);
  await user.until(({ closed }) => closed);
}

test("a client that has sent too much ahead and is gone: its response is not read on and on, and ends in its time", async () => {
  const clock = new HandClock();
  await using app = backend(() => "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nbegin");
  await using lb = weir({ backends: [app], timeouts: { bodyMs: 500 }, clock });
  await using user = await client(lb);
  user.send(get());
  await user.raw.untilText("begin");
  user.send(get("/", `X: ${"p".repeat(2000)}\r\n`).repeat(5000));
  const { connection } = await app.request(0);
  await sendInto(user.raw, connection, "more");
  connection.send(new Uint8Array(MUCH));
  await passUntil(
    clock,
    until(() => lb.engine.connections().clients === 0),
    20,
  );
  expect(lb.listener("bytesOut")).toBeLessThan(MiB);
  await connection.until(({ closed }) => closed);
  expect(lb.inFlight()).toBe(0);
});

test("a tunnel whose client is gone while its backend does not read: that is not read on and on either", async () => {
  const clock = new HandClock();
  await using server = rawServer();
  await using lb = weir({ mode: "tcp", backends: [server.port], timeouts: { idleMs: 500 }, clock });
  await using user = await connectRaw(lb.port);
  const app = await server.connection(0);
  app.pause();
  user.send(new Uint8Array(MUCH));
  await until(() => lb.listener("bytesIn") > MiB);
  await sendInto(user, app, "more");
  app.send(new Uint8Array(MUCH));
  await passUntil(
    clock,
    until(() => lb.engine.connections().clients === 0),
    20,
  );
  expect(lb.listener("bytesOut")).toBeLessThan(MiB);
  await app.until(({ closed }) => closed);
  expect(lb.inFlight()).toBe(0);
});
