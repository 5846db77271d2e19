import { cork } from "../../src/net/cork.ts";
import type { Flow, Ledger } from "../ledger.ts";
import type { World } from "../world.ts";

/**
 * Bytes that Weir may hold of an exchange or tunnel, in one direction: what one read brings before its source is paused and what a reset brings with it
 * (a receive buffer of this network each), 64 KiB of requests sent ahead, 64 KiB of framing and heads.
 */
const MOST_HELD = 2 * 100_000 + 2 * 64 * 1024;

/** What must hold after every single event. */
export function watch(world: World, ledger: Ledger): () => void {
  return () => {
    if (cork.used > 0) {
      world.violate(`${cork.used} bytes are left in the cork at the end of an event`);
      cork.flush();
    }
    for (const flow of ledger.flows) {
      const held = heldOf(flow);
      if (held <= MOST_HELD) continue;
      world.violate(`${held} bytes are held of ${flow.what}`);
      ledger.flows.delete(flow);
    }
  };
}

function heldOf({ backend, client, framing, before: [fromBackend, toClient, fromClient, toBackend] }: Flow): number {
  if (backend.over || client.over) return 0;
  const down = backend.delivered - fromBackend - (client.taken - toClient);
  const up = client.delivered - fromClient - (backend.taken - toBackend);
  return Math.max(down, up) - framing;
}
