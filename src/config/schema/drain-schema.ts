import { z } from "zod";
import { DEFAULT_DRAIN } from "./defaults.ts";
import { duration, key } from "./leaves.ts";

/** `drain` of the configuration. */
export const drainSchema = key(
  z.strictObject({
    requests: duration(
      "How long a request may go on at a backend or listener that a change has removed; 0 for as long as it takes.",
      DEFAULT_DRAIN.requestsMs,
    ).optional(),
    tunnels: duration(
      "The same for TCP connections, and for upgraded ones such as WebSockets; 0 for as long as they last.",
      DEFAULT_DRAIN.tunnelsMs,
    ).optional(),
  }),
  "How what a change of the configuration removes comes to its end, while Weir runs on.",
  { expects: "a section with keys", type: "section" },
);
