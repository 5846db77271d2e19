/** A whole response. */
export interface Response {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Bytes of it, head and body. */
  readonly length: number;
}

/** The response at the beginning of what came, `null` while it is not whole. @throws when it is none */
export function readResponse(text: string): Response | null {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = text.slice(0, end);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  if (status !== undefined && /^transfer-encoding: *chunked$/im.test(head)) return chunked(Number(status), head, text);
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  if (status === undefined || length === undefined) throw new Error(`no response: ${JSON.stringify(head)}`);
  const whole = end + 4 + Number(length);
  if (text.length < whole) return null;
  return { status: Number(status), head, body: text.slice(end + 4, whole), length: whole };
}

const LAST_CHUNK = "\r\n0\r\n\r\n";

function chunked(status: number, head: string, text: string): Response | null {
  // No body of the load holds such a line itself.
  const end = text.indexOf(LAST_CHUNK, head.length);
  if (end < 0) return null;
  let body = "";
  for (let at = head.length + 4; at < end + 2;) {
    const line = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (Number.isNaN(size)) throw new Error(`no chunk: ${JSON.stringify(text.slice(at, line))}`);
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
  return { status, head, body, length: end + LAST_CHUNK.length };
}

/** Why a response is not the right one: its status, with the code by which Weir explains its own; `null` where it is right. */
export function wrong({ status, head, body }: Response, expected: string): string | null {
  if (status === 200) return body === expected ? null : "wrong body";
  const code = /^proxy-status:.*details="([A-Z_]+)/im.exec(head)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}
