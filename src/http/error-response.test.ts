import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ErrorCode, ERRORS, EXCHANGE_ERROR_CODES } from "../errors.ts";
import { errorResponse } from "./error-response.ts";
import { FIELD, type FieldKind } from "./fields.ts";

function parts(
  code: ErrorCode,
  detail: string,
): { status: number; fields: Map<string, string>; body: string; raw: string } {
  const { head, body } = errorResponse(code, detail);
  const fields = new Map<string, string>();
  for (let i = 0; i < head.count; i++)
    fields.set(head.text(head.nameStart(i), head.nameEnd(i)), head.text(head.valueStart(i), head.valueEnd(i)));
  return { status: head.status, fields, body: body.toString(), raw: head.text(head.start, head.end) };
}

/** Reads a list of one item with parameters: RFC 8941 §4.2, as far as `Proxy-Status` goes. @throws when it is none */
function parseProxyStatus(text: string): { item: string; parameters: Map<string, string> } {
  const token = /^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*/;
  const item = token.exec(text)?.[0];
  if (item === undefined) throw new Error(`no token: ${text}`);
  const parameters = new Map<string, string>();
  let rest = text.slice(item.length);
  while (rest !== "") {
    const key = /^; *([a-z*][a-z0-9_.*-]*)=/.exec(rest);
    if (key === null) throw new Error(`no parameter: ${rest}`);
    rest = rest.slice(key[0].length);
    const string = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/.exec(rest);
    const value = string?.[0] ?? token.exec(rest)?.[0];
    if (value === undefined) throw new Error(`no value: ${rest}`);
    parameters.set(key[1] ?? "", string === null ? value : (string[1] ?? "").replace(/\\(.)/g, "$1"));
    rest = rest.slice(value.length);
  }
  return { item, parameters };
}

/** RFC 9209 §2.3: the registered types. */
const TYPES = new Set(
  `dns_timeout dns_error destination_not_found destination_unavailable destination_ip_prohibited
  destination_ip_unroutable connection_refused connection_terminated connection_timeout connection_read_timeout
  connection_write_timeout connection_limit_reached tls_protocol_error tls_certificate_error tls_alert_received
  http_request_error http_request_denied http_response_incomplete http_response_header_section_size
  http_response_header_size http_response_body_size http_response_trailer_section_size http_response_trailer_size
  http_response_transfer_coding http_response_content_coding http_response_timeout http_upgrade_failed
  http_protocol_error proxy_internal_response proxy_internal_error proxy_configuration_error
  proxy_loop_detected`.split(/\s+/),
);

const answered = EXCHANGE_ERROR_CODES.filter((code) => ERRORS[code].status !== 0);

describe("each error that a client is told of", () => {
  for (const code of answered)
    test(code, () => {
      const { status, fields, body, raw } = parts(code, "something");
      expect(status).toBe(ERRORS[code].status);
      expect(fields.get("Content-Length")).toBe(String(Buffer.byteLength(body)));
      expect(fields.get("Content-Type")).toBe("text/plain; charset=utf-8");
      expect(fields.get("Cache-Control")).toBe("no-store");
      expect(body).toContain(String(status));
      expect(body).toContain(code);
      expect(body.length).toBeLessThan(400);
      const { item, parameters } = parseProxyStatus(fields.get("Proxy-Status") ?? "");
      expect(item).toBe("weir");
      expect(TYPES).toContain(parameters.get("error") ?? "");
      expect(parameters.get("details")).toBe(`${code}: something`);
      expect(raw).toMatch(/^HTTP\/1\.1 \d{3} [A-Za-z ]+\r\n(?:[A-Za-z-]+: [^\r\n]+\r\n)+\r\n$/);
    });
});

test("property: whatever the detail, Proxy-Status is a structured field of RFC 8941 and one line", () => {
  const detail = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...'a"\\\r\n\0ä;=,') }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...answered), detail, (code, text) => {
      const { fields, raw, body } = parts(code, text);
      const value = fields.get("Proxy-Status") ?? "";
      expect(parseProxyStatus(value).parameters.get("details")).toStartWith(code);
      expect(raw.split("\r\n").length).toBe(4 + 3);
      expect(fields.get("Content-Length")).toBe(String(Buffer.byteLength(body)));
    }),
  );
});

test("says when to try again where that is known", () => {
  const { head } = errorResponse("POOL_NO_BACKEND", "", 7);
  expect(head.text(head.start, head.end)).toContain("\r\nRetry-After: 7\r\n");
});

test("its head knows its fields as a parsed one does", () => {
  const { head } = errorResponse("ROUTE_NOT_FOUND", "");
  const kinds = Array.from({ length: head.count }, (_, i): FieldKind => head.kind(i));
  expect(kinds).toEqual([FIELD.other, FIELD.other, FIELD.other, FIELD.contentLength]);
  expect([head.framing, head.text(head.reasonStart, head.reasonEnd)]).toEqual(["length", "Not Found"]);
});
