import { z } from "zod";
import { formatStatusSet, parseStatusSet } from "../../pool/status-set.ts";
import { DEFAULT_HEALTH, DEFAULT_HTTP_PROBE, DEFAULT_PASSIVE, DEFAULT_TIMING } from "../../health-plan.ts";
import type { ExpectedBody, StatusSet } from "../../health-plan.ts";
import { choice, duration, fraction, key, reading, whole } from "./leaves.ts";
import {
  parseExpectedBody,
  parseFieldValue,
  parseProbeHost,
  parseProbeMethod,
  parseProbePath,
  parseShortProbe,
  type ShortProbe,
} from "./probe-parts.ts";

const SECTION = { expects: "a section with keys", type: "section" } as const;

function text<T>(read: (text: string) => T, meaning: string, info: Parameters<typeof key>[2]): z.ZodType<T, string> {
  return key(z.string().transform(reading(read)), meaning, info);
}

function statusSet(meaning: string, fallback: string): z.ZodType<StatusSet, string | number> {
  const read = (value: string | number): StatusSet => parseStatusSet(String(value));
  return key(z.union([z.string(), z.number()]).transform(reading(read)), meaning, {
    expects: 'statuses such as 200, "200-399" or "200, 301"',
    type: "statuses, such as `200-399`",
    fallback,
  });
}

/** In a module a regular expression need not be written as a text. */
function expectedBody(meaning: string): z.ZodType<ExpectedBody, string | RegExp> {
  const read = (value: string | RegExp): ExpectedBody => parseExpectedBody(String(value));
  return key(z.union([z.string(), z.instanceof(RegExp)]).transform(reading(read)), meaning, {
    expects: 'a text such as "ok", or a pattern such as "/^ok$/i"',
    type: "text or pattern",
  });
}

function shortProbe(meaning: string): z.ZodType<ShortProbe, string> {
  return text(parseShortProbe, meaning, {
    expects: 'a path such as "/health", "tcp" or "off"',
    type: "`/path`, `tcp` or `off`",
  });
}

const PROBE_FORMS = {
  expects: 'a path such as "/health", "tcp", "off", or a section',
  type: "`/path`, `tcp`, `off` or section",
};

const longProbe = z.strictObject({
  type: choice(["http", "tcp"], "`http` asks and looks at the answer, `tcp` only connects.", "http").optional(),
  path: text(parseProbePath, "Path and query that are asked for.", {
    expects: 'a path such as "/health"',
    type: "path",
    fallback: DEFAULT_HTTP_PROBE.path,
  }).optional(),
  method: text(parseProbeMethod, "Method of the request.", {
    expects: 'a method such as "GET"',
    type: "method",
    fallback: DEFAULT_HTTP_PROBE.method,
  }).optional(),
  host: text(parseProbeHost, "`Host` of the request.", {
    expects: 'a host such as "app.example.com"',
    type: "host",
    fallback: "the backend's address",
  }).optional(),
  headers: key(
    z.record(
      z.string(),
      text(parseFieldValue, "The value of a field.", { expects: "a text without line breaks", type: "text" }),
    ),
    "More fields of the request, by name.",
    { expects: "a section of texts by the names of fields", type: "section of texts" },
  ).optional(),
  status: statusSet("Statuses that pass.", formatStatusSet(DEFAULT_HTTP_PROBE.status)).optional(),
  body: expectedBody(
    "What the answer's body must hold: a text, or a regular expression between slashes, `/^ok$/i`, which in TypeScript may be one itself.",
  ).optional(),
  port: whole("The port that is probed instead of that of the traffic.", null, 1, 65_535).optional(),
  interval: duration(
    "From the end of a probe to the next one, give or take a tenth.",
    DEFAULT_TIMING.intervalMs,
  ).optional(),
  timeout: duration("Until a probe counts as failed; no longer than `interval`.", DEFAULT_TIMING.timeoutMs).optional(),
  rise: whole("Probes passed in a row until a backend that was down is up.", DEFAULT_TIMING.rise, 1, 100).optional(),
  fall: whole("Probes failed in a row until a backend that was up is down.", DEFAULT_TIMING.fall, 1, 100).optional(),
  start: choice(
    ["up", "down"],
    "What a backend is held to be until its first probe, which settles it either way.",
    DEFAULT_TIMING.start,
  ).optional(),
});

const { successRate: RATE } = DEFAULT_PASSIVE;

const successRate = z.strictObject({
  deviations: fraction("How many standard deviations below the pool's mean.", RATE?.deviations ?? 0, 0, 10).optional(),
  margin: fraction("And at least so far below it.", RATE?.margin ?? 0, 0, 1).optional(),
  backends: whole("Backends with enough requests that a comparison takes.", RATE?.backends ?? 0, 3, 10_000).optional(),
  requests: whole("Requests of a backend in a window that are enough.", RATE?.requests ?? 0, 1, 1_000_000).optional(),
  window: duration("How long requests are counted for a comparison.", RATE?.windowMs ?? 0).optional(),
});

const passive = z.strictObject({
  failures: key(
    z.union([whole("A number of failures.", null, 1, 1000), choice(["off"], "None eject.", null)]),
    "Failures in a row, over all workers, that eject: refused, reset before a response, timed out.",
    {
      expects: 'a whole number from 1 to 1000, or "off"',
      type: "number, 1 to 1000, or `off`",
      fallback: String(DEFAULT_PASSIVE.failures),
    },
  ).optional(),
  statuses: statusSet("Statuses that count as such failures too.", "none").optional(),
  successRate: key(
    z.union([choice(["off"], "Rates are not compared.", null), key(successRate, "How rates are compared.", SECTION)]),
    "Ejects a backend whose success rate is an outlier in its pool.",
    { expects: '"off" or a section', type: "`off` or section" },
  ).optional(),
  eject: duration(
    "How long the first ejection lasts; the n-th in a row lasts n times as long.",
    DEFAULT_PASSIVE.ejectMs,
  ).optional(),
  maxEject: duration("The longest an ejection lasts.", DEFAULT_PASSIVE.maxEjectMs).optional(),
  maxEjected: fraction("The most of a pool that is ejected at a time.", DEFAULT_PASSIVE.maxEjected, 0, 1).optional(),
});

const longHealth = z.strictObject({
  probe: key(
    z.union([shortProbe("A path, `tcp` or `off`."), key(longProbe, "A probe with keys of its own.", SECTION)]),
    "How backends are asked whether they are well; see [health.md](health.md).",
    { ...PROBE_FORMS, fallback: "off" },
  ).optional(),
  passive: key(
    z.union([choice(["off"], "The traffic tells nothing.", null), key(passive, "When the traffic ejects.", SECTION)]),
    "When the traffic itself tells that a backend fails; on by default.",
    { expects: '"off" or a section', type: "`off` or section" },
  ).optional(),
  panicBelow: fraction(
    "With less than this part of the backends healthy, all of them get work; 0 is never.",
    DEFAULT_HEALTH.panicBelow,
    0,
    1,
  ).optional(),
});

/** `health` of a pool. */
export const healthSchema = key(
  z.union([shortProbe("A probe in short."), key(longHealth, "Health with keys of its own.", SECTION)]),
  "How Weir learns which backends are well, and what it does about it: a probe in short, or a section.",
  PROBE_FORMS,
);

/** `slowStart` of a pool. */
export const slowStartSchema: z.ZodType<number, string | number> = duration(
  "How long a backend that comes back or joins gets less than its share; 0 for never.",
  DEFAULT_HEALTH.slowStartMs,
);

/** `health` of a pool, read. */
export type ReadHealth = z.output<typeof healthSchema>;
