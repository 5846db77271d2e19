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
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  if (status === undefined || length === undefined) throw new Error(`no response: ${JSON.stringify(head)}`);
  const whole = end + 4 + Number(length);
  if (text.length < whole) return null;
  return { status: Number(status), head, body: text.slice(end + 4, whole), length: whole };
}

/** Why a response is not the right one: its status, with the code by which Weir explains its own; `null` where it is right. */
export function wrong({ status, head, body }: Response, expected: string): string | null {
  if (status === 200) return body === expected ? null : "wrong body";
  const code = /^proxy-status:.*details="([A-Z_]+)/im.exec(head)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}
