import type { ExpectedBody } from "../health-plan.ts";

/** Looks for what a body must hold. Bodies are read as UTF-8. */
export class Expectation {
  readonly #expected: ExpectedBody;
  readonly #pieces: Buffer[] = [];

  constructor(expected: ExpectedBody) {
    this.#expected = expected;
  }

  /** What it looks for, in words. */
  get text(): string {
    const expected = this.#expected;
    return expected.kind === "text" ? JSON.stringify(expected.text) : `/${expected.source}/${expected.flags}`;
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.#pieces.push(bytes.subarray(start, end));
  }

  /** Whether what has come holds it. A pattern may depend on where the body ends: ask when it is complete. */
  holds(): boolean {
    const body = Buffer.concat(this.#pieces).toString("utf8");
    const expected = this.#expected;
    switch (expected.kind) {
      case "text":
        return body.includes(expected.text);
      case "pattern":
        return new RegExp(expected.source, expected.flags).test(body);
    }
  }
}
