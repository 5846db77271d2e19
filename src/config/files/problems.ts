import { ERRORS } from "../../errors.ts";
import type { ErrorCode, WeirError } from "../../errors.ts";

/** A broken file may break on every line; the first are the ones to mend. */
export const MOST_TOLD = 20;

/** Where a value stands in a configuration: names and list indexes from the root. */
export type Path = readonly (string | number)[];

/** Something wrong at a place of the configuration, not yet tied to a line of a file. */
export interface Finding {
  readonly code: ErrorCode;
  readonly path: Path;
  /** Which end of `name: value` is wrong; decides the column. */
  readonly part: "key" | "value";
  /** What is wrong, without the path. */
  readonly message: string;
  /** How to mend it. */
  readonly mend: string;
  /** The key that was probably meant by a mistyped one: that it is missing needs no finding of its own. */
  readonly meant: string | null;
}

/** One thing wrong with a configuration: what, where, and how to mend it. */
export interface Problem {
  readonly code: ErrorCode;
  /** The file as the user named it; `null` where the configuration came from no file. */
  readonly file: string | null;
  /** From 1; `null` where the place is not known. */
  readonly line: number | null;
  /** From 1, in UTF-16 code units; `null` where the place is not known. */
  readonly column: number | null;
  /** Dotted path such as `pools.app.backends[1].weight`; empty where the whole file is meant. */
  readonly key: string;
  /** What is wrong. */
  readonly message: string;
  /** How to mend it. */
  readonly mend: string;
}

/** What is said of a listener whose work goes nowhere. */
export const NEITHER = "the listener has neither pool nor routes";

/** Makes a finding; without `mend`, the mend of the error table. */
export function finding(code: ErrorCode, path: Path, message: string, mend?: string): Finding {
  return { code, path, part: "value", message, mend: mend ?? ERRORS[code].mend, meant: null };
}

/** Leaves out that a key is missing where it stands there mistyped. */
export function withoutEchoes(findings: readonly Finding[]): Finding[] {
  const standIns = new Set<string>();
  for (const { path, meant } of findings) if (meant !== null) standIns.add(keyText([...path.slice(0, -1), meant]));
  return findings.filter(({ code, path, message }) => {
    if (code !== "CONFIG_MISSING_KEY" && code !== "CONFIG_EMPTY_POOL") return true;
    if (message === NEITHER) return !["pool", "routes"].some((name) => standIns.has(keyText([...path, name])));
    return !standIns.has(keyText(path));
  });
}

/** A problem of a file as a whole, or of a line in it. */
export function fileProblem(code: ErrorCode, file: string, message: string, more: Partial<Problem> = {}): Problem {
  return { code, file, line: null, column: null, key: "", message, mend: ERRORS[code].mend, ...more };
}

/** The dotted form of a path: `pools.app.backends[1].weight`; names with other signs are quoted, `pools["a.b"]`. */
export function keyText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[\w$-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/**
 * One line for a terminal or a log:
 * `weir.yaml:12:5 pools.app.weight  CONFIG_UNKNOWN_KEY  what is wrong → how to mend it`.
 * @param colour whether ANSI colours may be used
 */
export function formatProblem(problem: Problem, colour = false): string {
  const paint = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const { file, line, column } = problem;
  const place = line === null ? (file ?? "") : `${file ?? ""}:${line}:${column ?? 1}`;
  const where = [paint(1, place), paint(36, problem.key)].filter((_, i) => [place, problem.key][i] !== "").join(" ");
  const what = `${paint(31, problem.code)}  ${problem.message} ${paint(2, "→")} ${problem.mend}`;
  return where === "" ? what : `${where}  ${what}`;
}

/** All problems, a line each. */
export function formatProblems(problems: readonly Problem[], colour = false): string {
  return problems.map((problem) => formatProblem(problem, colour)).join("\n");
}

/** An error as something that is wrong with a change. */
export function problemOf({ code, detail }: WeirError): Problem {
  return { ...fileProblem(code, "", detail), file: null };
}
