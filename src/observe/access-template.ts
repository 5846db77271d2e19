import { WeirError } from "../errors.ts";
import { MOST, writeIso } from "./access-json.ts";
import type { ExchangeRecord } from "./exchange-record.ts";
import { fixedText, type LineWriter } from "./line-writer.ts";
import { clfTime } from "./time-text.ts";

/** Writes a record as one line, without its end. */
export type WriteLine = (out: LineWriter, record: ExchangeRecord) => void;

/** The combined log format of Apache and nginx. */
export const COMBINED = '{client} - - [{clfTime}] "{request}" {status} {bodyBytesOut} "{referer}" "{userAgent}"';

/** Characters of a template: its own text stands in each line. */
export const MOST_TEMPLATE = 1024;

function part(out: LineWriter, bytes: Buffer, start: number, end: number, most: number): void {
  if (start === end) out.ascii("-");
  else out.foreign(bytes, start, end, most, "hex");
}

function text(out: LineWriter, value: string): void {
  if (value === "") out.ascii("-");
  else out.foreignText(value, 300, "hex");
}

function time(out: LineWriter, from: number, to: number): void {
  if (from === -1 || to === -1) out.ascii("-");
  else out.milliseconds(to - from);
}

/** What may stand in braces. All that a client sent is escaped; what is not there is `-`. */
const FIELDS = {
  time: (out, { time: at }) => writeIso(out, at),
  clfTime: (out, { time: at }) => out.ascii(clfTime(at)),
  kind: (out, { kind }) => out.ascii(kind),
  listener: (out, { listener }) => text(out, listener),
  route: (out, { route }) => text(out, route),
  pool: (out, { pool }) => text(out, pool),
  client: (out, { client }) => text(out, client),
  request: (out, record) => {
    if (record.methodStart === record.methodEnd) {
      out.ascii("-");
      return;
    }
    part(out, record.bytes, record.methodStart, record.methodEnd, MOST.method);
    out.ascii(" ");
    part(out, record.bytes, record.targetStart, record.targetEnd, MOST.target);
    out.ascii(record.minor === 0 ? " HTTP/1.0" : " HTTP/1.1");
  },
  method: (out, { bytes, methodStart, methodEnd }) => part(out, bytes, methodStart, methodEnd, MOST.method),
  host: (out, { bytes, hostStart, hostEnd }) => part(out, bytes, hostStart, hostEnd, MOST.host),
  target: (out, { bytes, targetStart, targetEnd }) => part(out, bytes, targetStart, targetEnd, MOST.target),
  status: (out, { status }) => (status === 0 ? out.ascii("-") : out.whole(status)),
  code: (out, { code }) => out.ascii(code ?? "-"),
  bytesIn: (out, { bytesIn }) => out.whole(bytesIn),
  bytesOut: (out, { bytesOut }) => out.whole(bytesOut),
  bodyBytesOut: (out, { bytesOut, headOut }) => out.whole(bytesOut - headOut),
  durationMs: (out, { startedMs, endedMs }) => time(out, startedMs, endedMs),
  firstByteMs: (out, { startedMs, firstByteMs }) => time(out, startedMs, firstByteMs),
  backend: (out, { attempts }) => text(out, attempts.at(-1)?.backend ?? ""),
  connectMs: (out, { attempts }) => time(out, attempts.at(-1)?.begunMs ?? -1, attempts.at(-1)?.connectedMs ?? -1),
  responseMs: (out, { attempts }) => time(out, attempts.at(-1)?.connectedMs ?? -1, attempts.at(-1)?.answeredMs ?? -1),
  attempts: (out, { attempts }) => out.whole(attempts.length),
  requestId: (out, { requestId }) => text(out, requestId),
  traceId: (out, { trace }) => text(out, trace === null ? "" : trace.traceId),
  userAgent: (out, { bytes, agentStart, agentEnd }) => part(out, bytes, agentStart, agentEnd, MOST.agent),
  referer: (out, { bytes, refererStart, refererEnd }) => part(out, bytes, refererStart, refererEnd, MOST.referer),
} as const satisfies Record<string, WriteLine>;

/** Names that may stand in the braces of a template. */
export const TEMPLATE_FIELDS: readonly string[] = Object.keys(FIELDS);

/**
 * Makes a writer of a template such as `{time} "{request}" {status}`; `{{` and `}}` stand for braces.
 * Once a plan; a line then costs about 1 µs.
 * @throws CONFIG_BAD_VALUE with what is wrong and the forms that are right
 */
export function templateWriter(template: string): WriteLine {
  if (template.length > MOST_TEMPLATE)
    throw new WeirError("CONFIG_BAD_VALUE", `a template has at most ${MOST_TEMPLATE} characters`);
  if (!/^[\x20-\x7e]*$/.test(template))
    throw new WeirError("CONFIG_BAD_VALUE", "a template is one line of visible ASCII characters");
  const writers: WriteLine[] = [];
  const named = new Set<string>();
  for (const piece of template.match(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g) ?? []) {
    if (piece === "{" || piece === "}") throw bad(`a brace of ${JSON.stringify(template)} has no other`);
    const name = /^\{([^{}]*)\}$/.exec(piece)?.[1];
    if (name === undefined) {
      const constant = fixedText(piece === "{{" ? "{" : piece === "}}" ? "}" : piece);
      writers.push((out) => out.fixed(constant));
    } else {
      if (!Object.hasOwn(FIELDS, name)) throw bad(`there is no field {${name}}`);
      // A line has a bound, and so has each field.
      if (named.has(name)) throw bad(`{${name}} stands twice`);
      named.add(name);
      writers.push(FIELDS[name as keyof typeof FIELDS]);
    }
  }
  if (named.size === 0) throw bad(`${JSON.stringify(template)} tells nothing of a request`);
  return (out, record) => {
    for (let i = 0; i < writers.length; i++) writers[i]!(out, record);
  };
}

function bad(what: string): WeirError {
  const names = TEMPLATE_FIELDS.map((name) => `{${name}}`).join(" ");
  return new WeirError("CONFIG_BAD_VALUE", `${what}; use off, combined, json or a template of ${names}`);
}
