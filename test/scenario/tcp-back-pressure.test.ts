import { expect, test } from "bun:test";
import { type OwnProcess, ownProcess } from "../fixtures/own-process.ts";
import { connectRaw, type RawConnection, rawServer } from "../fixtures/raw.ts";

const MiB = 2 ** 20;
/** The system's own buffers on the loopback hold up to 10 MiB of a connection: far more than that has to pass. */
const EACH = 64 * MiB;
const COUNT = 8;
/** What the runtime takes once for code and heap as it warms up, however many connections there are. */
const WARM_UP = 16 * MiB;
const TEST_MS = 90_000;

/** Looks at the count of bytes, one after another, that find it unchanged: a peer that does not get to run for a moment is not yet stopped. */
const STILL = 20;

/** Waits until Weir has passed on all it can: its count of bytes stands still. */
async function stuck(weir: OwnProcess): Promise<void> {
  let last = 0;
  let still = 0;
  await weir.until(({ bytesIn, bytesOut }) => {
    still = last === bytesIn + bytesOut && last > 0 ? still + 1 : 0;
    last = bytesIn + bytesOut;
    return still >= STILL;
  });
}

/** Reads about a megabyte, rests for a moment, and so on. */
function readSlowly(connection: RawConnection): () => void {
  let seen = 0;
  const timer = setInterval(() => {
    if (connection.bytes - seen >= MiB) {
      seen = connection.bytes;
      connection.pause();
    } else connection.resume();
  }, 1);
  return () => {
    clearInterval(timer);
    connection.resume();
  };
}

for (const direction of ["to the client", "to the backend"] as const)
  test(
    `${EACH / MiB} MiB ${direction} through readers that stop, then read slowly: under 1 MiB of memory a connection`,
    async () => {
      await using server = rawServer();
      await using weir = await ownProcess({ mode: "tcp", backends: [server.port] });
      const clients = await Promise.all(Array.from({ length: COUNT }, () => connectRaw(weir.port)));
      const backends = await Promise.all(clients.map((_, i) => server.connection(i)));
      const [readers, writers] = direction === "to the client" ? [clients, backends] : [backends, clients];
      const before = await weir.stats(true);

      for (const reader of readers) {
        reader.countOnly = true;
        reader.pause();
      }
      for (const writer of writers) writer.send(Buffer.alloc(EACH, 1));
      await stuck(weir);
      const full = await weir.stats();
      expect(writers.every(({ flushed }) => !flushed)).toBe(true);

      const stops = readers.map(readSlowly);
      await Promise.all(readers.map((reader) => reader.until(({ bytes }) => bytes >= EACH / 2, TEST_MS)));
      for (const stop of stops) stop();
      await Promise.all(readers.map((reader) => reader.until(({ bytes }) => bytes === EACH, TEST_MS)));
      const after = await weir.stats();

      const each = (rss: number): number => (rss - before.rss - WARM_UP) / COUNT;
      console.log(
        `${direction}: +${((full.peakRss - before.rss) / MiB).toFixed(1)} MiB for ${COUNT} that stopped, ` +
          `+${((after.peakRss - before.rss) / MiB).toFixed(1)} MiB for ${COUNT} that read slowly`,
      );
      expect(each(full.peakRss)).toBeLessThan(MiB);
      expect(each(after.peakRss)).toBeLessThan(MiB);
      for (const client of clients) client.reset();
      await weir.until(({ inFlight }) => inFlight === 0);
    },
    TEST_MS,
  );

test(
  "both directions stopped at once hold both sources, and each goes on by itself",
  async () => {
    await using server = rawServer();
    await using weir = await ownProcess({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(weir.port);
    const backend = await server.connection(0);
    for (const peer of [client, backend]) {
      peer.countOnly = true;
      peer.pause();
      peer.send(Buffer.alloc(EACH, 1));
    }
    await stuck(weir);
    expect([client.flushed, backend.flushed]).toEqual([false, false]);
    client.resume();
    await client.until(({ bytes }) => bytes === EACH);
    expect(client.flushed).toBe(false);
    backend.resume();
    await backend.until(({ bytes }) => bytes === EACH);
    client.shutdown();
    backend.shutdown();
    await Promise.all([client.untilEnd(), backend.untilEnd()]);
    await weir.until(({ inFlight }) => inFlight === 0);
  },
  TEST_MS,
);
