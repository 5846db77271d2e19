import { z } from "zod";
import { parseStateFolder } from "./affinity-parts.ts";
import { parseExplainToken } from "./explain-parts.ts";
import { key, reading } from "./leaves.ts";

/** `explain` of the configuration. */
export const explainSchema = key(
  z.strictObject({
    token: key(
      z.string().transform(reading(parseExplainToken)),
      "What `weir-explain` must hold in a request that is to be explained.",
      { expects: "a text of 16 to 256 visible characters", type: "text, 16 to 256 characters", hidden: true },
    ).optional(),
    tokenFile: key(
      z.string().transform(reading(parseStateFolder)),
      "A file with it instead; its owner's alone. Read at the start and at each reload.",
      { expects: "an absolute path of a file", type: "absolute path" },
    ).optional(),
  }),
  "Explains a request in its response, to whoever shows a token; one of the two keys. See [explain.md](explain.md).",
  { expects: "a section with keys", type: "section", fallback: "off" },
);

/** `explain`, read. */
export type ReadExplain = z.output<typeof explainSchema>;
