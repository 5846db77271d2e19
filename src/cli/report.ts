import { formatProblem, formatProblems, MOST_TOLD, type Problem } from "../config/files/problems.ts";
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
  const { wrong, use } = error.advice;
  const mend = mends[code] ?? use ?? ERRORS[code].mend;
  const problem: Problem = { code, file: null, line: null, column: null, key: "", message: wrong, mend };
  const line = formatProblem(problem, colour());
  // A usage error ends with the help that shows the way.
  console.error(`weir: ${code === "CLI_USAGE" ? `${code}  ${detail}` : line}`);
}

/**
 * Tells the user of what is wrong with a configuration, on stderr, a line each: of many the first, and how many more there are.
 * @param seeAll what shows the others; `null` to tell of all
 */
export function reportProblems(problems: readonly Problem[], seeAll: string | null): void {
  const told = seeAll === null ? problems : problems.slice(0, MOST_TOLD);
  console.error(formatProblems(told, colour()));
  if (told.length < problems.length) console.error(`… and ${problems.length - told.length} more; ${seeAll} shows all`);
}
