import { equalsLower } from "../http/fields.ts";
import { Head } from "../http/head.ts";
import { BodyReader, type BodySink } from "../http1/body-reader.ts";
import type { Blame, HeadLimits } from "../http1/field-parser.ts";
import { parseResponseHead } from "../http1/response-parser.ts";
import type { Connection } from "../net/connection.ts";
import { Outbox } from "../net/outbox.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { type Advice, readAdvice } from "../pool/advice.ts";
import type { HttpProbePlan } from "../health-plan.ts";
import type { ProbeOutcome } from "../pool/probe-state.ts";
import { formatStatusSet, hasStatus } from "../pool/status-set.ts";
import { Expectation } from "./expectation.ts";
import { Probe } from "./probe.ts";

/** What is read of an answer, head and all: an endless one must not fill the memory. */
export const ANSWER_BYTES: number = 64 * 1024;
const LIMITS: HeadLimits = { headBytes: 32 * 1024, fields: 128, targetBytes: 0 };
const BACKEND: Blame = {
  bad: "BACKEND_BAD_RESPONSE",
  framing: "BACKEND_BAD_RESPONSE",
  tooLarge: "BACKEND_HEAD_TOO_LARGE",
};

/** The head of the answer at hand: events are synchronous, and nobody keeps it. */
const head = new Head();

/**
 * Sends one request and looks at the answer: its status, and its body only where one is expected. Interim responses are passed over.
 * An answer that asks to be drained (`weir-state`) passes whatever its status: the backend is there, and says what it wants.
 */
export class HttpProbe extends Probe implements BodySink {
  readonly #plan: HttpProbePlan;
  readonly #request: Buffer;
  readonly #outbox: Outbox = new Outbox(null);
  readonly #body: BodyReader = new BodyReader();
  readonly #expected: Expectation | null;
  /** Bytes of heads that are not complete. */
  #pending: Buffer | null = null;
  #bytes = 0;
  /** What the final head said; `null` until it has come. */
  #advice: Advice | null = null;

  /** @param request from `probeRequest` */
  constructor(plan: HttpProbePlan, request: Buffer, wheel: TimerWheel, settled: (outcome: ProbeOutcome) => void) {
    super(wheel, plan.timeoutMs, settled);
    this.#plan = plan;
    this.#request = request;
    this.#expected = plan.body === null ? null : new Expectation(plan.body);
  }

  protected override connected(connection: Connection): void {
    this.#outbox.attach(connection);
    this.#outbox.send(this.#request, 0, this.#request.length);
  }

  override received(bytes: Buffer): void {
    if (this.over) return;
    // The part within the bound is looked at first: what is wanted may be in it.
    const room = ANSWER_BYTES - this.#bytes;
    const whole = bytes.length <= room;
    const part = whole ? bytes : bytes.subarray(0, room);
    this.#bytes += part.length;
    if (this.#advice === null) this.#readHeads(this.#pending === null ? part : Buffer.concat([this.#pending, part]));
    else this.#readBody(part, 0);
    if (whole || this.over) return;
    if (this.#advice === null) this.fail(null, `no final status within ${ANSWER_BYTES} bytes`);
    else this.#judgeBody();
  }

  override drained(): void {
    if (!this.over) this.#outbox.drain();
  }

  override ended(): void {
    if (this.over) return;
    if (this.#advice !== null && this.#body.untilClose) this.#judgeBody();
    else this.lost("connection closed");
  }

  protected override lost(how: string): void {
    if (this.#bytes === 0) this.fail("BACKEND_RESET", `${how} before an answer`);
    else this.fail("BACKEND_INCOMPLETE", `${how} in the middle of the answer`, this.#advice);
  }

  // BodySink

  body(bytes: Buffer, start: number, end: number): void {
    this.#expected?.add(bytes, start, end);
  }

  #readHeads(bytes: Buffer): void {
    let at = 0;
    for (;;) {
      const outcome = parseResponseHead(head, bytes, at, bytes.length, LIMITS, this.#plan.method === "HEAD");
      if (outcome === "incomplete") {
        this.#pending = bytes.subarray(at);
        return;
      }
      if (outcome !== "complete") {
        this.fail(outcome, head.problem);
        return;
      }
      at = head.end;
      // 101 is final here: what follows it would be no HTTP.
      if (head.status >= 200 || head.status === 101) break;
    }
    this.#pending = null;
    this.#judgeHead();
    if (this.over) return;
    this.#body.begin(head.framing, head.length);
    this.#readBody(bytes, at);
  }

  #judgeHead(): void {
    const advice = readAdvice(fieldOf(WEIR_STATE), fieldOf(WEIR_WEIGHT));
    this.#advice = advice;
    const { status } = this.#plan;
    if (advice.state === "drain" || advice.state === "maintenance") this.pass(advice);
    else if (!hasStatus(status, head.status))
      this.fail(null, `status ${head.status} instead of ${formatStatusSet(status)}`, advice);
    else if (this.#expected === null) this.pass(advice);
  }

  #readBody(bytes: Buffer, start: number): void {
    this.#body.feed(bytes, start, bytes.length, LIMITS, BACKEND, this);
    if (this.#body.problem !== "") this.fail("BACKEND_BAD_RESPONSE", this.#body.problem, this.#advice);
    else if (this.#body.done) this.#judgeBody();
  }

  /** The body is complete, or as long as is read of one. */
  #judgeBody(): void {
    const expected = this.#expected;
    if (expected === null || expected.holds()) this.pass(this.#advice);
    else this.fail(null, `body without ${expected.text}`, this.#advice);
  }
}

const WEIR_STATE = Buffer.from("weir-state");
const WEIR_WEIGHT = Buffer.from("weir-weight");

/** Value of the first field of that name, `null` where there is none. */
function fieldOf(name: Buffer): string | null {
  for (let i = 0; i < head.count; i++) {
    const start = head.nameStart(i);
    if (head.nameEnd(i) - start === name.length && equalsLower(head.bytes, start, name))
      return head.text(head.valueStart(i), head.valueEnd(i));
  }
  return null;
}
