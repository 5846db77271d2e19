import { z } from "zod";
import type { Trust } from "../../plan.ts";
import { choice, key, reading } from "./leaves.ts";
import { parseIdHeader, parseLogFormat, parseLogTarget, parseOtlp } from "./observe-parts.ts";
import { parseShare } from "./retry-parts.ts";

const SECTION = { expects: "a section with keys", type: "section" } as const;

function share(meaning: string, fallback: string): z.ZodType<number, string | number> {
  return key(z.union([z.string(), z.number()]).transform(reading(parseShare)), meaning, {
    expects: 'a percentage such as "1%", or a number from 0 to 1',
    type: "percentage",
    fallback,
  });
}

function trust(meaning: string, fallback: Trust): z.ZodType<Trust, Trust> {
  return choice<Trust>(["anyone", "trusted-proxies", "nobody"], meaning, fallback);
}

const longAccessLog = z.strictObject({
  format: key(z.string().transform(reading(parseLogFormat)), "How a line looks; see [logging.md](logging.md).", {
    expects: "json, combined, or a template with fields in braces",
    type: "`json`, `combined` or template",
    fallback: "json",
  }).optional(),
  to: key(
    z.string().transform(reading(parseLogTarget)),
    "Where lines go: `stdout`, a file, `syslog` (`/dev/log`), `syslog:host:port` (UDP) or `syslog:unix:/path`.",
    {
      expects: "stdout, an absolute path, syslog, or syslog:ADDRESS",
      type: "`stdout`, absolute path, `syslog` or `syslog:ADDRESS`",
      fallback: "stdout",
    },
  ).optional(),
  sample: share("Part of the requests that have a line; those that failed always do.", "100%").optional(),
});

const accessLog = key(
  z.union([
    choice(["off", "combined", "json"], "`off`, or a format; then on the standard output.", "off"),
    key(longAccessLog, "An access log with keys of its own.", SECTION),
  ]),
  "A line for each request, TCP connection and tunnel when it is over; see [logging.md](logging.md). On a listener instead of the top level's.",
  { expects: "off, combined, json or a section", type: "`off`, `combined`, `json` or section", fallback: "off" },
);

/** `accessLog` of the whole or of a listener. */
export const accessLogSchema: typeof accessLog = accessLog;

const requestId = key(
  z.union([
    choice(
      ["off", "keep", "make"],
      "`keep` keeps the client's id and makes one where there is none, `make` always makes one.",
      "off",
    ),
    key(
      z.strictObject({
        header: key(z.string().transform(reading(parseIdHeader)), "The field that carries it.", {
          expects: "the name of a field such as X-Request-Id",
          type: "name of a field",
          fallback: "X-Request-Id",
        }).optional(),
        trust: trust("Whose ids are kept; those of others are replaced.", "trusted-proxies").optional(),
      }),
      "Request ids with keys of their own.",
      SECTION,
    ),
  ]),
  "An id for each request, which backend and client are told, and which is in access log and traces; see [logging.md](logging.md).",
  { expects: "off, keep, make or a section", type: "`off`, `keep`, `make` or section", fallback: "off" },
);

/** `requestId` of the whole. */
export const requestIdSchema: typeof requestId = requestId;

const tracing = key(
  z.union([
    choice(["off"], "`traceparent` and `tracestate` pass untouched.", "off"),
    key(
      z.strictObject({
        otlp: key(
          z.string().transform(reading(parseOtlp)),
          "Where spans are posted to, by OTLP over HTTP with JSON; `/v1/traces` where the URL has no path.",
          { expects: "a URL such as http://localhost:4318/v1/traces", type: "URL" },
        ),
        headers: key(
          z.record(
            z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/),
            key(z.string().regex(/^[\x20-\x7e]*$/), "Its value.", {
              expects: "a text of visible characters",
              type: "text",
              hidden: true,
            }),
          ),
          "Fields of these posts, such as a key of the collector.",
          { expects: "a section of fields by name", type: "section" },
        ).optional(),
        service: key(z.string().min(1).max(100), "What Weir is called in traces: `service.name`.", {
          expects: "a name of 1 to 100 characters",
          type: "text",
          fallback: "weir",
        }).optional(),
        sample: share("Part of the traces that begin here that is sampled.", "10%").optional(),
        trust: trust("Whose traces are joined, and whose decision to sample holds.", "anyone").optional(),
      }),
      "Traces with a collector.",
      SECTION,
    ),
  ]),
  "Spans of exchanges and attempts, for a collector; see [tracing.md](tracing.md).",
  { expects: "off, or a section with otlp", type: "`off` or section", fallback: "off" },
);

/** `tracing` of the whole. */
export const tracingSchema: typeof tracing = tracing;

/** `accessLog`, read. */
export type ReadAccessLog = z.output<typeof accessLog>;
/** `requestId`, read. */
export type ReadRequestId = z.output<typeof requestId>;
/** `tracing`, read. */
export type ReadTracing = z.output<typeof tracing>;
