import { formatProblem, formatProblems, type Problem } from "../config/files/problems.ts";
import { ERRORS, type ErrorCode, type WeirError } from "../errors.ts";
import { isatty } from "node:tty";

/** Better advice than the table's, for where the mistake was made: by code. */
export type Mends = Readonly<Partial<Record<ErrorCode, string>>>;

function colour(): boolean {
  return isatty(2) && !process.env["NO_COLOR"];
}

/** Tells the user of an error on stderr, in one line. */
export function reportError(error: WeirError, mends: Mends = {}): void {
  const { code, detail } = error;
  // A usage error ends with the help that shows the way.
  const mend = mends[code] ?? ERRORS[code].mend;
  const problem: Problem = { code, file: null, line: null, column: null, key: "", message: detail, mend };
  const line = formatProblem(problem, colour());
  console.error(`weir: ${code === "CLI_USAGE" ? `${code}  ${detail}` : line}`);
}

/** Tells the user of everything that is wrong with a configuration, on stderr, a line each. */
export function reportProblems(problems: readonly Problem[]): void {
  console.error(formatProblems(problems, colour()));
}
