import type { Detached } from "../http/streams.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { ExchangeRecord } from "../observe/exchange-record.ts";
import type { Timeouts } from "../plan.ts";
import type { HttpAttempt } from "./http-attempt.ts";
import { Tunnel } from "./tunnel.ts";

/**
 * Makes a tunnel of an exchange whose attempt was answered with 101: both stay in flight until it ends.
 * @param row of the listener
 * @param tunnels where it is kept while it is open
 * @param record told of it when it is over; `null` where nobody wants to know
 */
export function openTunnel(
  client: Detached,
  attempt: HttpAttempt,
  wheel: TimerWheel,
  timeouts: Pick<Timeouts, "idleMs" | "bodyMs">,
  row: Row,
  tunnels: Set<Tunnel>,
  record: ExchangeRecord | null,
): void {
  const backend = attempt.detach();
  if (backend === null) return;
  const { link } = attempt;
  const tunnel: Tunnel = new Tunnel(client, backend, wheel, timeouts, {
    passedIn: (bytes) => {
      row.add(COLUMN.bytesIn, bytes);
      if (record !== null) record.bytesIn += bytes;
      link.row.add(COLUMN.bytesIn, bytes);
    },
    passedOut: (bytes) => {
      row.add(COLUMN.bytesOut, bytes);
      if (record !== null) record.bytesOut += bytes;
      link.row.add(COLUMN.bytesOut, bytes);
    },
    finished: (why) => {
      row.end();
      attempt.left();
      tunnels.delete(tunnel);
      if (why === "idle") row.fail("TUNNEL_IDLE");
      if (record === null) return;
      record.code = why === "idle" ? "TUNNEL_IDLE" : why === "destroyed" ? "WEIR_DRAINED" : null;
      record.end(wheel.refresh());
    },
  });
  tunnel.link = link;
  tunnels.add(tunnel);
}
