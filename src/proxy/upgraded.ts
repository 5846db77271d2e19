import type { Detached } from "../http/streams.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { HttpAttempt } from "./http-attempt.ts";
import { Tunnel } from "./tunnel.ts";

/**
 * Makes a tunnel of an exchange whose attempt was answered with 101: both stay in flight until it ends.
 * @param row of the listener
 * @param tunnels where it is kept while it is open
 */
export function openTunnel(
  client: Detached,
  attempt: HttpAttempt,
  wheel: TimerWheel,
  idleMs: number,
  row: Row,
  tunnels: Set<Tunnel>,
): void {
  const backend = attempt.detach();
  if (backend === null) return;
  const { link } = attempt;
  const tunnel: Tunnel = new Tunnel(client, backend, wheel, idleMs, {
    passedIn: (bytes) => {
      row.add(COLUMN.bytesIn, bytes);
      link.row.add(COLUMN.bytesIn, bytes);
    },
    passedOut: (bytes) => {
      row.add(COLUMN.bytesOut, bytes);
      link.row.add(COLUMN.bytesOut, bytes);
    },
    finished: (why) => {
      row.end();
      attempt.left();
      tunnels.delete(tunnel);
      if (why === "idle") row.fail("TUNNEL_IDLE");
    },
  });
  tunnels.add(tunnel);
}
