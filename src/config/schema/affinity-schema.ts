import { z } from "zod";
import { parseCookieName, parseCookiePath, parseSecret, parseStateFolder, parseTtl } from "./affinity-parts.ts";
import { DEFAULT_COOKIE, DEFAULT_COOKIE_PATH, DEFAULT_PINNED_MS } from "./defaults.ts";
import { duration, flag, key, reading } from "./leaves.ts";

const longAffinity = z.strictObject({
  cookie: key(z.string().transform(reading(parseCookieName)), "Name of the cookie that carries which backend it is.", {
    expects: 'the name of a cookie such as "weir"',
    type: "name of a cookie",
    fallback: DEFAULT_COOKIE,
  }).optional(),
  ttl: key(
    z.union([z.string(), z.number()]).transform(reading(parseTtl)),
    "How long a client keeps its cookie; renewed while it is in use.",
    { expects: 'a duration such as "30m" or "1d"', type: "duration, at least 1s", fallback: "until the browser ends" },
  ).optional(),
  secret: key(
    z.string().transform(reading(parseSecret)),
    "What cookies are authenticated with; the same for all Weirs that are to honour them.",
    {
      expects: "a text of at least 16 bytes",
      type: "text, at least 16 bytes",
      fallback: "made once and kept in `stateFolder`",
      hidden: true,
    },
  ).optional(),
  path: key(z.string().transform(reading(parseCookiePath)), "`Path` of the cookie.", {
    expects: 'a path such as "/"',
    type: "path",
    fallback: DEFAULT_COOKIE_PATH,
  }).optional(),
  drainTimeout: duration(
    "How long a backend in `drain` keeps the clients that are pinned to it.",
    DEFAULT_PINNED_MS,
  ).optional(),
});

/** `affinity` of a pool. */
export const affinitySchema = key(
  z.union([
    flag("Whether clients are kept at one backend.", false),
    key(longAffinity, "Affinity with keys of its own.", { expects: "a section with keys", type: "section" }),
  ]),
  "Keeps a client at one backend by a cookie; see [affinity.md](affinity.md).",
  { expects: "true, false or a section with keys", type: "true, false or section", fallback: "false" },
);

/** `stateFolder` of the whole. */
export const stateFolderSchema: z.ZodType<string, string> = key(
  z.string().transform(reading(parseStateFolder)),
  "Where Weir keeps what has to outlive it: the secret of affinity, where none is set.",
  {
    expects: 'an absolute path such as "/var/lib/weir"',
    type: "absolute path",
    fallback: "`$XDG_STATE_HOME/weir`, or `~/.local/state/weir`",
  },
);

/** `affinity` of a pool, read. */
export type ReadAffinity = z.output<typeof affinitySchema>;
