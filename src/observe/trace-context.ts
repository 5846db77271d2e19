import type { AttemptRecord } from "./exchange-record.ts";
import type { Ids } from "./request-id.ts";

/** What a `traceparent` says. */
interface Parent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`; `null` for one that is not valid (W3C Trace Context §3.2). Later versions are read as far as this one knows them. */
export function parseTraceparent(text: string): Parent | null {
  const [, version, traceId = "", spanId = "", flags = "", more] = FORM.exec(text) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Of which trace an exchange is a part (W3C Trace Context). Ids are lower-case hexadecimal. */
export class Trace {
  /** 32 digits. */
  readonly traceId: string;
  /** Of the exchange's own span, 16 digits; empty where it is not sampled. */
  readonly spanId: string;
  /** Of the span that asked, 16 digits; empty where the trace begins here. */
  readonly parentId: string;
  /** Whether its spans are exported. */
  readonly sampled: boolean;
  readonly #ids: Ids;

  /**
   * @param parent what the client says, whose decision to sample holds; `null` for a new trace
   * @param sample part of the new traces that are sampled
   */
  constructor(parent: Parent | null, ids: Ids, sample: number) {
    this.#ids = ids;
    this.traceId = parent?.traceId ?? ids.hex(16);
    this.parentId = parent?.spanId ?? "";
    this.sampled = parent?.sampled ?? (sample > 0 && ids.part() < sample);
    this.spanId = this.sampled ? ids.hex(8) : "";
  }

  /** Whether the client's own fields pass to the backend as they are. */
  get passes(): boolean {
    return this.parentId !== "" && !this.sampled;
  }

  /** The line that tells a backend of which trace an attempt is a part; `null` where the client's own passes. */
  lineFor(attempt: AttemptRecord): Buffer | null {
    if (this.passes) return null;
    const flags = this.sampled ? "01" : "00";
    return Buffer.from(`traceparent: 00-${this.traceId}-${this.spanOf(attempt)}-${flags}\r\n`, "latin1");
  }

  /** Names the span of an attempt. */
  spanOf(attempt: AttemptRecord): string {
    if (attempt.spanId === "") attempt.spanId = this.#ids.hex(8);
    return attempt.spanId;
  }
}
