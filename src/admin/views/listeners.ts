import { formatAddress } from "../../address.ts";
import type { ListenerView } from "../model.ts";
import type { Running } from "../running.ts";
import type { Sampler } from "../sampler.ts";

/** All listeners. @param open clients' connections, by the listener's name */
export function listenerViews(running: Running, sampler: Sampler, open: ReadonlyMap<string, number>): ListenerView[] {
  const { plan, placement } = running;
  const [sample, since] = [sampler.now(), sampler.before];
  return plan.listeners.map(({ name, address, mode, routes }, index) => {
    const rows = [placement.listeners[index] ?? 0];
    return {
      name,
      address: formatAddress(address),
      mode,
      routes: routes.length,
      connections: open.get(name) ?? 0,
      totals: sample.totals(rows),
      rates: sample.rates(rows, since),
    };
  });
}
