/** What a load program looks at in a response. */
export interface Response {
  readonly status: number;
  /** The number that a backend of service.ts writes into `X-Backend`; -1 without it. */
  readonly backend: number;
  /** The connection ends after it. */
  readonly last: boolean;
}

/** Reads a response with Content-Length; undefined until all of it is there. */
export function completeResponse(received: string): Response | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = received.slice(0, end + 2);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  if (received.length < end + 4 + length) return undefined;
  return {
    status: Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0),
    backend: Number(/\r\nx-backend: *(\d+)/i.exec(head)?.[1] ?? -1),
    last: /\r\nconnection: *close\r\n/i.test(head),
  };
}
