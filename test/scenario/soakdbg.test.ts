import { expect, test } from "bun:test";
import { seededRandom } from "../../src/random.ts";
import { backend, client } from "../fixtures/chaos.ts";
import { ownProcess, type Stats } from "../fixtures/own-process.ts";
import { connectRaw, rawServer, refusingPort } from "../fixtures/raw.ts";

/** Clients of each half; `SOAK=50000` runs for long. */
const COUNT = Number(process.env["SOAK"] ?? 1500);
const AT_A_TIME = 40;
const SEED = 20_261_122;
const TEST_MS = 60_000 + COUNT * 20;
const MiB = 2 ** 20;

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
        const iv=setInterval(async()=>{const s=await weir.stats(); console.log(left, s.clients,s.backends,s.inFlight,s.sockets,idle.sockets)},2000);await Promise.all(Array.from({ length: AT_A_TIME }, (_, lane) => one(lane)));
        await weir.until(
          ({ clients, backends: open, inFlight, sockets }) =>
            clients === 0 && open === 0 && inFlight === 0 && sockets === idle.sockets,
        );
        for (const { connections } of servers) for (const connection of connections.splice(0)) connection.reset();
        return weir.stats(true);
      };

      // Once before it is measured: what the runtime takes as it warms up is not a leak.
      await half(SEED);
      const first = await half(SEED + 1000);
      const second = await half(SEED + 2000);
      console.log(
        `mode ${mode}: heap ${(first.heapUsed / MiB).toFixed(2)} → ${(second.heapUsed / MiB).toFixed(2)} MiB, ` +
          `memory ${(first.rss / MiB).toFixed(1)} → ${(second.rss / MiB).toFixed(1)} MiB for ${COUNT} more clients`,
      );
      expect(second.log.filter(({ event }) => event === "defect")).toEqual([]);
      expect([second.clients, second.backends, second.inFlight, second.sockets]).toEqual([0, 0, 0, idle.sockets]);
      // Less than what one leaked connection object a client would come to.
      expect(second.heapUsed - first.heapUsed).toBeLessThan(Math.max(MiB / 2, COUNT * 200));
      expect(second.rss - first.rss).toBeLessThan(12 * MiB);
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
    TEST_MS,
  );
