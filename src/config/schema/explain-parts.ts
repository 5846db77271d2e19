import { WeirError } from "../../errors.ts";

/** As much as a field carries without a doubt, and enough not to be guessed. */
const TOKEN = /^[!-~]{16,256}$/;

/** Whether a text will do as the token of `explain`. */
export function isExplainToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Reads the token of `explain`; no message shows it. @throws CONFIG_BAD_VALUE */
export function parseExplainToken(text: string): string {
  if (isExplainToken(text)) return text;
  throw new WeirError(
    "CONFIG_BAD_VALUE",
    "the token is no 16 to 256 visible ASCII characters; use best 32 random ones",
  );
}
