import { finding } from "../files/problems.ts";
import type { Finding } from "../files/problems.ts";
import { own, section } from "../files/raw.ts";

/** What is wrong with `explain` beyond the form of its values: no token, or two. */
export function explainFindings(config: unknown): Finding[] {
  const explain = own(config, "explain");
  if (section(explain) === null) return [];
  const given = ["token", "tokenFile"].filter((name) => own(explain, name) !== undefined);
  if (given.length === 1) return [];
  const message = given.length === 0 ? "nobody could ask without a token" : "there are two places for one token";
  const mend =
    given.length === 0 ? "Set `token` or `tokenFile`, or remove `explain`." : "Remove `token` or `tokenFile`.";
  return [{ ...finding("CONFIG_BAD_VALUE", ["explain"], message, mend), part: "key" }];
}
