import { z } from "zod";
import { listenAddress } from "../check/addresses.ts";
import { parseStateFolder } from "./affinity-parts.ts";
import { DEFAULT_ADMIN } from "./defaults.ts";
import { key, listeningOrOff, reading } from "./leaves.ts";

const longAdmin = z.strictObject({
  address: key(
    z.string().transform(reading(listenAddress)),
    "Where it listens: on the loopback or a unix socket, and with `tokenFile` anywhere.",
    {
      expects: "an address such as 127.0.0.1:9900 or unix:/path",
      type: "address",
      fallback: DEFAULT_ADMIN,
      code: "CONFIG_BAD_ADDRESS",
    },
  ).optional(),
  tokenFile: key(
    z.string().transform(reading(parseStateFolder)),
    "A file with what every request must show, as `Authorization: Bearer TOKEN`; its owner's alone, at least 16 bytes.",
    { expects: "an absolute path of a file", type: "absolute path" },
  ).optional(),
});

/** `admin`. */
export const adminSchema = key(
  z.union([
    listeningOrOff("An address, or `off`."),
    key(longAdmin, "The admin API.", { expects: "a section with keys", type: "section" }),
  ]),
  "Where the admin API listens, or `off`; see [admin.md](admin.md).",
  {
    expects: 'an address such as 127.0.0.1:9900, or "off"',
    type: "address, `off` or section",
    fallback: DEFAULT_ADMIN,
    code: "CONFIG_BAD_ADDRESS",
  },
);
