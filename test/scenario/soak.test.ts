import { expect, test } from "bun:test";
import { seededRandom } from "../../src/random.ts";
import { backend, client } from "../fixtures/chaos.ts";
import { ownProcess, type Stats } from "../fixtures/own-process.ts";
import { connectRaw, rawServer, refusingPort } from "../fixtures/raw.ts";

/** Clients of each half; `SOAK=50000` runs for long. */
const COUNT = Number(process.env["SOAK"] ?? 1500);
const AT_A_TIME = 40;
const SEED = 20_261_122;
const TEST_MS = 120_000 + COUNT * 60;
const MiB = 2 ** 20;
/** Less than what one leaked connection object a client would come to. */
const HEAP_BYTES = Math.max(MiB / 2, COUNT * 200);
const MEMORY_BYTES = 12 * MiB;
/** How often is looked again. */
const MORE = 3;

/** Short, so that what hangs is ended by Weir in the test's time. */
const TIMEOUTS = {
  headMs: 400,
  keepAliveMs: 300,
  bodyMs: 400,
  connectMs: 2000,
  responseMs: 400,
  idleBackendMs: 200,
  idleMs: 400,
};

function grown(first: Stats, second: Stats): boolean {
  return second.heapUsed - first.heapUsed >= HEAP_BYTES || second.rss - first.rss >= MEMORY_BYTES;
}

for (const mode of ["http", "tcp"] as const)
  test.concurrent(
    `clients and backends that abort at random leave nothing open, nothing in flight, and flat memory: mode ${mode}`,
    async () => {
      const ofBackends = seededRandom(SEED + 1);
      const servers = Array.from({ length: 3 }, () =>
        rawServer({
          onConnection: (connection) => {
            connection.countOnly = true;
            if (ofBackends.below(20) === 0) connection.reset();
          },
          onData: (connection) => void backend(connection, ofBackends, mode),
          onEnd: (connection) => {
            if (ofBackends.below(2) === 0) connection.end();
          },
        }),
      );
      const backends = [...servers.map(({ port }) => port), refusingPort()];
      await using weir = await ownProcess({ mode, backends, timeouts: TIMEOUTS });
      const idle = await weir.stats();

      const half = async (seed: number): Promise<Stats> => {
        let left = COUNT;
        const one = async (lane: number): Promise<void> => {
          const random = seededRandom(seed + lane);
          while (left-- > 0) {
            // Weir may reset a connection before the system has told us that it is open.
            const connection = await connectRaw(weir.port).catch(() => null);
            if (connection !== null) await client(connection, random, mode);
          }
        };
        await Promise.all(Array.from({ length: AT_A_TIME }, (_, lane) => one(lane)));
        await weir.until(
          ({ clients, backends: open, inFlight, sockets }) =>
            clients === 0 && open === 0 && inFlight === 0 && sockets === idle.sockets,
        );
        for (const { connections } of servers) for (const connection of connections.splice(0)) connection.reset();
        return weir.stats(true);
      };

      // Once before it is measured: what the runtime takes as it warms up is not a leak.
      await half(SEED);
      let first = await half(SEED + 1000);
      let second = await half(SEED + 2000);
      // What leaks grows each time; what the runtime takes for code that it compiles only now does not.
      for (let more = 1; more <= MORE && grown(first, second); more++) {
        first = second;
        second = await half(SEED + 2000 + more * 1000);
      }
      console.log(
        `mode ${mode}: heap ${(first.heapUsed / MiB).toFixed(2)} → ${(second.heapUsed / MiB).toFixed(2)} MiB, ` +
          `memory ${(first.rss / MiB).toFixed(1)} → ${(second.rss / MiB).toFixed(1)} MiB for ${COUNT} more clients`,
      );
      expect(second.log.filter(({ event }) => event === "defect")).toEqual([]);
      expect([second.clients, second.backends, second.inFlight, second.sockets]).toEqual([0, 0, 0, idle.sockets]);
      expect(second.heapUsed - first.heapUsed).toBeLessThan(HEAP_BYTES);
      expect(second.rss - first.rss).toBeLessThan(MEMORY_BYTES);
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
    TEST_MS,
  );
