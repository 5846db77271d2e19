import { z } from "zod";

const text = (meaning: string): z.ZodNullable<z.ZodString> => z.string().nullable().describe(meaning);
const ms = (meaning: string): z.ZodNullable<z.ZodNumber> => z.number().min(0).nullable().describe(meaning);
const bytes = (meaning: string): z.ZodInt => z.int().min(0).describe(meaning);
const code = text("Why it failed: a code of docs/errors.md; null where it did not.");

const attempt = z
  .strictObject({
    backend: z.string().describe("The backend's address."),
    reused: z.boolean().describe("Whether its connection had served another request before."),
    hedge: z.boolean().describe("Whether it was made beside one that took long."),
    connectMs: ms("From its beginning until the request could be sent; null where that never was."),
    responseMs: ms("From then until the response's head; null where none came."),
    status: z.int().min(101).max(599).nullable().describe("The backend's status; null where none came."),
    code,
  })
  .describe("One try on a backend.");

/** A line of the access log in JSON, as `schema/access-log.schema.json` and docs/logging.md promise it. Keys may be added, none changes. */
export const accessLine = z.strictObject({
  time: z.iso.datetime({ precision: 3 }).describe("When it began."),
  kind: z
    .enum(["http", "tcp"])
    .describe("What it was: a request (with the tunnel that it may have become), or a TCP connection."),
  listener: z.string().describe("The listener's name."),
  route: text("What the route matches: host, then path; null where none matched, and for TCP."),
  pool: text("The pool's name; null where it was not known."),
  client: z.string().describe("The client's address; `unknown` on a unix socket."),
  method: text("The request's method; null where no request was understood, and for TCP."),
  host: text("Host and port that the request is for."),
  target: text("Path and query."),
  status: z
    .int()
    .min(101)
    .max(599)
    .nullable()
    .describe("What the client was answered; null where no answer began, and for TCP."),
  code,
  bytesIn: bytes("Bytes of heads and bodies from the client, free of the framing of chunks."),
  bytesOut: bytes("The same to the client."),
  durationMs: z.number().min(0).describe("From the request's head, or the connection, until all was over."),
  firstByteMs: ms("Until the response began; null where it never did, and for TCP."),
  attempts: z.array(attempt).max(16).describe("Tries on backends, in the order in which they began; the first 16."),
  requestId: text("The request's id, where it has one."),
  traceId: text("The trace it belongs to, where traces are on."),
  userAgent: text("What the client says it is."),
  referer: text("Where the client says it comes from."),
});
