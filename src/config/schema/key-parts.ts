import { WeirError } from "../../errors.ts";
import type { KeyPart } from "../../plan.ts";

/** What a user writes, in words. */
export const KEY_FORMS = "source, path, host, header:NAME, cookie:NAME or query:NAME";

/** Of a field and of a cookie (RFC 9110 §5.6.2, RFC 6265 §4.1.1). */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/**
 * Reads one part of a key: `"source"`, `"header:X-User"`.
 * @throws CONFIG_BAD_VALUE with what is wrong and the forms that are right
 */
export function parseKeyPart(text: string): KeyPart {
  const [kind = "", ...rest] = text.split(":");
  const name = rest.join(":");
  switch (kind) {
    case "source":
    case "path":
    case "host":
      if (rest.length === 0) return { kind };
      throw bad(`"${kind}" stands alone, without ":${name}"`);
    case "header":
      if (TOKEN.test(name)) return { kind, name: name.toLowerCase() };
      throw bad(`${JSON.stringify(text)} names no header`);
    case "cookie":
      if (TOKEN.test(name)) return { kind, name };
      throw bad(`${JSON.stringify(text)} names no cookie`);
    case "query":
      if (name !== "") return { kind, name };
      throw bad(`${JSON.stringify(text)} names no parameter`);
    default:
      throw bad(`${JSON.stringify(text)} is nothing to choose by`);
  }
}

function bad(what: string): WeirError {
  return new WeirError("CONFIG_BAD_VALUE", `${what}; use ${KEY_FORMS}`);
}

/** The text that `parseKeyPart` reads back as the same part. */
export function formatKeyPart(part: KeyPart): string {
  return "name" in part ? `${part.kind}:${part.name}` : part.kind;
}
