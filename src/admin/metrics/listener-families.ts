import { columnFamily, errorsFamily, inFlightFamily, type Kind, responsesFamily } from "./counted.ts";
import type { Family } from "./family.ts";

const LISTENER: Kind = {
  prefix: "weir_listener",
  labels: ["listener"],
  places: function* ({ plan, placement }) {
    for (const [index, { name }] of plan.listeners.entries()) yield [[name], placement.listeners[index] ?? 0];
  },
};

/** Of what clients see. */
export const LISTENER_FAMILIES: readonly Family[] = [
  columnFamily(LISTENER, "connections_total", "connections", "Connections accepted from clients."),
  columnFamily(LISTENER, "requests_total", "requests", "Requests received, those that were refused included."),
  responsesFamily(LISTENER, "Responses sent to clients, those of Weir itself included, by the class of their status."),
  errorsFamily(
    LISTENER,
    "Requests and connections that ended with an error, by its code (docs/errors.md); an attempt that was made good by another one is not among them.",
    () => true,
  ),
  inFlightFamily(LISTENER, "Requests, tunnels and TCP connections under way."),
  columnFamily(LISTENER, "received_bytes_total", "bytesIn", "Bytes of heads and bodies received from clients."),
  columnFamily(LISTENER, "sent_bytes_total", "bytesOut", "Bytes of heads and bodies sent to clients."),
  columnFamily(LISTENER, "pauses_total", "pauses", "Times that a worker stopped accepting, since there was no room."),
];
