import { systemWallClock, type WallClock } from "../clock.ts";
import { postJson } from "../net/post.ts";
import { SyslogTarget } from "../net/syslog.ts";
import { templateWriter, type WriteLine } from "../observe/access-template.ts";
import { writeJson } from "../observe/access-json.ts";
import type { ExchangeRecord, Recorder } from "../observe/exchange-record.ts";
import { FileTarget, StdoutTarget } from "../observe/file-target.ts";
import { LineSink, type LineTarget } from "../observe/line-sink.ts";
import type { Log } from "../observe/log.ts";
import type { Losses } from "../observe/losses.ts";
import { Ids } from "../observe/request-id.ts";
import { SpanExporter } from "../observe/span-exporter.ts";
import type { AccessLogPlan, AccessLogTarget, ListenerPlan, Plan, TracingPlan } from "../plan.ts";
import { ExchangeObserver } from "../proxy/exchange-observer.ts";

/** Where the access logs and traces of one process go: each file, and each collector, is opened once for all listeners. */
export class Observers {
  readonly #log: Log;
  readonly #wallClock: WallClock;
  readonly #losses: Losses;
  readonly #ids: Ids = new Ids();
  readonly #sinks: Map<string, LineSink> = new Map();
  readonly #exporters: Map<string, SpanExporter> = new Map();

  /** @param losses where what is lost is counted */
  constructor(log: Log, losses: Losses, wallClock: WallClock = systemWallClock) {
    this.#log = log;
    this.#losses = losses;
    this.#wallClock = wallClock;
  }

  /**
   * Who makes the records of a listener; `null` where neither access log, request ids nor traces are on.
   * @throws ACCESS_LOG_UNUSABLE
   */
  of(listener: ListenerPlan, plan: Plan): ExchangeObserver | null {
    const { accessLog } = listener;
    const http = listener.mode === "http";
    const requestId = (http ? plan.requestId : undefined) ?? null;
    const tracing = (http ? plan.tracing : undefined) ?? null;
    if (accessLog === undefined && requestId === null && tracing === null) return null;
    const lines = accessLog === undefined ? null : this.#lines(accessLog);
    const exporter = tracing === null ? null : this.#exporter(tracing);
    const recorder: Recorder = {
      finished(record) {
        lines?.(record);
        if (exporter !== null && record.trace !== null && record.trace.sampled) exporter.add(record);
      },
    };
    return new ExchangeObserver({
      listener: listener.name,
      recorder,
      requestId,
      tracing,
      wallClock: this.#wallClock,
      ids: this.#ids,
    });
  }

  /** Gives up what no listener of a plan that is now in force names. What is under way is still told of. */
  keepOnly(plan: Plan): void {
    const named = new Set(
      plan.listeners.flatMap(({ accessLog }) => (accessLog === undefined ? [] : [keyOf(accessLog.to)])),
    );
    for (const [key, sink] of this.#sinks) {
      if (named.has(key)) sink.revive();
      else sink.retire();
    }
  }

  /** Goes on in new files, since the old ones were moved. */
  reopen(): void {
    for (const sink of this.#sinks.values()) sink.reopen();
  }

  /** Writes and posts what waits. Fulfilled when that is done, or after that time. */
  async flush(timeoutMs: number): Promise<void> {
    const all = [...this.#sinks.values(), ...this.#exporters.values()];
    await Promise.all(all.map((each) => each.flush(timeoutMs)));
  }

  #lines({ format, to, sample }: AccessLogPlan): (record: ExchangeRecord) => void {
    const write: WriteLine = format === "json" ? writeJson : templateWriter(format.template);
    const sink = this.#sink(to);
    const ids = this.#ids;
    if (sample >= 1) return (record) => sink.add(record, write);
    return (record) => {
      if (record.code !== null || record.status >= 500 || ids.part() < sample) sink.add(record, write);
    };
  }

  #sink(to: AccessLogTarget): LineSink {
    const key = keyOf(to);
    const known = this.#sinks.get(key);
    if (known !== undefined) return known;
    const sink = new LineSink(targetOf(to), this.#log, (lines) => this.#losses.add("lines", lines));
    this.#sinks.set(key, sink);
    return sink;
  }

  #exporter({ otlp, headers, service }: TracingPlan): SpanExporter {
    const key = JSON.stringify([otlp, headers, service]);
    const known = this.#exporters.get(key);
    if (known !== undefined) return known;
    const options = { otlp, headers, service, instance: this.#ids.hex(8) };
    const counted = (exchanges: number): void => this.#losses.add("exchanges", exchanges);
    const exporter = new SpanExporter(options, postJson, this.#log, counted);
    this.#exporters.set(key, exporter);
    return exporter;
  }
}

function keyOf(to: AccessLogTarget): string {
  return JSON.stringify(to);
}

function targetOf(to: AccessLogTarget): LineTarget {
  switch (to.kind) {
    case "stdout":
      return new StdoutTarget();
    case "file":
      return new FileTarget(to.path);
    case "syslog":
      return new SyslogTarget(to.address);
  }
}
