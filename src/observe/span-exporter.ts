import type { ExchangeRecord } from "./exchange-record.ts";
import type { Log } from "./log.ts";
import { spansOf } from "./spans.ts";

/** Posts a body of JSON. @returns the status, or why there is none */
export type Post = (
  url: string,
  headers: readonly (readonly [name: string, value: string])[],
  body: string,
  timeoutMs: number,
) => Promise<number | string>;

/** Where spans go, and what Weir is called there. */
export interface ExportOptions {
  readonly otlp: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly service: string;
  readonly instance: string;
}

/** Exchanges whose spans are posted at a time, and how long the first of them waits. */
const BATCH = 256;
const BATCH_MS = 1000;
/** Exchanges that wait while a post is under way, about 3 KiB each; later ones are dropped and counted. */
const WAITING = 2048;
const POST_MS = 10_000;
/** A post that may succeed later is tried again so often, after that long and then twice as long each time. */
const TRIES = 3;
const RETRY_MS = 1000;
/** How often a loss that goes on is told of. */
const TOLD_MS = 10_000;
/** Statuses after which the collector wants to be asked again (OTLP specification, "Failures"). */
const RETRIABLE = new Set([429, 502, 503, 504]);

/** Gathers the spans of sampled exchanges and posts them to a collector by OTLP over HTTP. What a collector does or does not do harms nobody. */
export class SpanExporter {
  readonly #options: ExportOptions;
  readonly #post: Post;
  readonly #log: Log;
  readonly #before: string;
  #waiting: string[] = [];
  #posting: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closing = false;
  #lost = 0;
  #why = "";
  #toldMs = Number.NEGATIVE_INFINITY;
  /** Tells what was lost last, also where no more is. */
  #telling: ReturnType<typeof setTimeout> | null = null;
  readonly #counted: (exchanges: number) => void;
  /** Exchanges whose spans were lost since the beginning. */
  lost = 0;

  /** @param counted is told of exchanges whose spans are lost */
  constructor(options: ExportOptions, post: Post, log: Log, counted: (exchanges: number) => void = () => {}) {
    this.#options = options;
    this.#post = post;
    this.#log = log;
    this.#counted = counted;
    const resource = [
      { key: "service.name", value: { stringValue: options.service } },
      { key: "service.instance.id", value: { stringValue: options.instance } },
      { key: "telemetry.sdk.name", value: { stringValue: "weir" } },
    ];
    this.#before = `{"resourceSpans":[{"resource":${JSON.stringify({ attributes: resource })},"scopeSpans":[{"scope":{"name":"weir"},"spans":[`;
  }

  /** Adds the spans of a sampled exchange. */
  add(record: ExchangeRecord): void {
    if (this.#waiting.length >= WAITING) {
      this.#lose(1, "what waits for the collector has reached its bound");
      return;
    }
    this.#waiting.push(spansOf(record));
    if (this.#posting !== null) return;
    if (this.#waiting.length >= BATCH) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), BATCH_MS);
  }

  /** Posts what is gathered. Fulfilled when all of it is posted or lost, or after that time. */
  async flush(timeoutMs: number): Promise<void> {
    this.#closing = true;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, timeoutMs);
    await Promise.race([this.#flushed(), late.promise]);
    clearTimeout(timer);
    this.#closing = false;
  }

  async #flushed(): Promise<void> {
    while (this.#posting !== null || this.#waiting.length > 0) {
      if (this.#posting === null) this.#begin();
      await this.#posting;
    }
    this.#tell();
  }

  #begin(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#waiting.splice(0, BATCH);
    this.#posting = this.#deliver(batch).then(() => {
      this.#posting = null;
      if (this.#waiting.length >= BATCH) this.#begin();
      else if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#begin(), BATCH_MS);
    });
  }

  async #deliver(batch: readonly string[]): Promise<void> {
    const { otlp, headers } = this.#options;
    const body = `${this.#before}${batch.join(",")}]}]}]}`;
    let outcome: number | string = "";
    for (let tried = 0; tried < TRIES; tried++) {
      if (tried > 0) await Bun.sleep(RETRY_MS * 2 ** (tried - 1));
      outcome = await this.#post(otlp, headers, body, POST_MS);
      if (typeof outcome === "number" && outcome >= 200 && outcome < 300) return;
      if (this.#closing || (typeof outcome === "number" && !RETRIABLE.has(outcome))) break;
    }
    this.#lose(batch.length, typeof outcome === "number" ? `the collector answered ${outcome}` : outcome);
  }

  #lose(exchanges: number, why: string): void {
    this.lost += exchanges;
    this.#lost += exchanges;
    this.#why = why;
    this.#counted(exchanges);
    const waitMs = this.#toldMs + TOLD_MS - performance.now();
    if (waitMs <= 0) this.#tell();
    // It keeps no process alive: one that drains tells by `flush`.
    else this.#telling ??= setTimeout(() => this.#tell(), waitMs).unref();
  }

  #tell(): void {
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#telling = null;
    if (this.#lost === 0) return;
    this.#toldMs = performance.now();
    const { otlp } = this.#options;
    this.#log.warn("traces lost", { code: "TRACES_LOST", to: otlp, exchanges: this.#lost, reason: this.#why });
    this.#lost = 0;
  }
}
