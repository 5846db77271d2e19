import { fieldKind } from "./fields.ts";
import { Head } from "./head.ts";

/**
 * Makes a response's head that Weir itself sends.
 * @param length bytes of its body
 */
export function buildResponseHead(
  status: number,
  reason: string,
  fields: readonly (readonly [string, string])[],
  length: number,
): Head {
  const all = [...fields, ["Content-Length", String(length)] as const];
  const start = `HTTP/1.1 ${status} ${reason}\r\n`;
  const bytes = Buffer.from(`${start}${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`, "latin1");
  const head = new Head();
  head.reset(bytes, 0);
  head.status = status;
  head.reasonStart = start.length - 2 - reason.length;
  head.reasonEnd = start.length - 2;
  head.framing = "length";
  head.length = length;
  head.end = bytes.length;
  let at = start.length;
  for (const [name, value] of all) {
    const nameEnd = at + name.length;
    const valueStart = nameEnd + 2;
    head.add(fieldKind(bytes, at, nameEnd), at, nameEnd, valueStart, valueStart + value.length);
    at = valueStart + value.length + 2;
  }
  return head;
}
