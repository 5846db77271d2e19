import type { Problem } from "../config/files/problems.ts";
import { type ErrorCode, ERRORS, type ErrorSource, WeirError } from "../errors.ts";
import type { ProblemDocument } from "./model-writes.ts";

/** What is wrong with something that was asked for, in parts. */
export class Refusal extends WeirError {
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, detail: string, problems: readonly Problem[]) {
    super(code, detail);
    this.problems = problems;
  }
}

/**
 * Of errors that are not about requests, by whose fault they are: a configuration that would be wrong is understood and cannot be followed
 * (RFC 9110 §15.5.21), what the system does not allow is a conflict with how things are, and Weir itself may do better later.
 */
const STATUS: Readonly<Record<ErrorSource, number>> = {
  client: 400,
  config: 422,
  system: 409,
  backend: 502,
  weir: 503,
};

/** The problem document of an error (RFC 9457). */
export function problemDocument(error: WeirError): ProblemDocument {
  const { code, detail } = error;
  const { meaning, mend, status, source } = ERRORS[code];
  return {
    type: `/docs/errors.md#${code.toLowerCase()}`,
    title: meaning,
    status: status === 0 ? STATUS[source] : status,
    code,
    detail,
    mend,
    ...(error instanceof Refusal ? { problems: [...error.problems] } : {}),
  };
}

/** The answer that an error is. @param headers beside the content's */
export function problemResponse(error: WeirError, headers: Readonly<Record<string, string>> = {}): Response {
  const document = problemDocument(error);
  return new Response(`${JSON.stringify(document)}\n`, {
    status: document.status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}
