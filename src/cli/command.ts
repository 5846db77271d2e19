import { parseArgs } from "node:util";
import { nearest } from "../config/schema/suggest.ts";
import { WeirError } from "../errors.ts";

/** A flag of a command. */
export interface Flag {
  /** What stands for its value in the help text; `null` for a flag without one. */
  readonly value: string | null;
  /** Whether it may be given more than once. */
  readonly many?: boolean;
  readonly meaning: string;
}

/** A command of the command line: what the help text says and the reader of arguments accepts. */
export interface Command<Name extends string> {
  readonly name: string;
  /** One line that says what it does. */
  readonly about: string;
  /** Forms of calling it, each with a line that says what it means. */
  readonly forms: readonly (readonly [form: string, meaning: string])[];
  /** What its first positional argument is called; `null` where it takes none. */
  readonly positional: string | null;
  /** What those after it are called. */
  readonly further?: readonly string[];
  readonly flags: Readonly<Record<Name, Flag>>;
  /** Further lines of the help text. */
  readonly notes?: readonly string[];
}

/** What was given to a command. */
export interface Given<Name extends string> {
  readonly help: boolean;
  readonly positional: string | null;
  /** Positional arguments after the first. */
  readonly further: readonly string[];
  /** The values of each flag, in order; empty where it was not given. A flag without a value has `""`. */
  readonly flags: Readonly<Record<Name, readonly string[]>>;
}

/** The fault of a command line, with the help that shows the right one. */
export function usage(detail: string, command?: string): WeirError {
  return new WeirError(
    "CLI_USAGE",
    `${detail}${detail.endsWith("?") ? " See" : "; see"} \`weir ${command === undefined ? "" : `${command} `}--help\``,
  );
}

function unlike(what: string, word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return `there is no ${what} "${word}"${meant === null ? "" : `; did you mean "${meant}"?`}`;
}

/** The command that was meant by a word that is none. */
export function unknownCommand(word: string, known: readonly string[]): WeirError {
  return usage(unlike("command", word, known));
}

/**
 * Reads the arguments of a command.
 * @throws CLI_USAGE
 */
export function readArguments<Name extends string>(command: Command<Name>, args: readonly string[]): Given<Name> {
  const names = Object.keys(command.flags) as Name[];
  const options = Object.fromEntries(
    names.map((name) => [name, { type: command.flags[name].value === null ? "boolean" : "string" } as const]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: "boolean", short: "h" } },
    strict: false, // its own messages name no nearest flag
    tokens: true,
  });
  const flags = Object.fromEntries(names.map((name) => [name, [] as string[]])) as Record<Name, string[]>;
  let help = false;
  let positional: string | null = null;
  const further: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (command.positional === null) throw usage(`\`${command.name}\` takes no "${token.value}"`, command.name);
      if (positional === null) positional = token.value;
      else if (further.length < (command.further?.length ?? 0)) further.push(token.value);
      else
        throw usage(
          `one ${command.further?.at(-1) ?? command.positional} is enough, not also "${token.value}"`,
          command.name,
        );
    } else if (token.kind === "option") {
      if (token.name === "help") {
        help = true;
        continue;
      }
      const name = names.find((known) => known === token.name);
      if (name === undefined) {
        const known = [...names, "help"].map((each) => `--${each}`);
        throw usage(unlike("flag", token.rawName, known), command.name);
      }
      const { value, many } = command.flags[name];
      if (value !== null && (token.value === undefined || (!token.inlineValue && token.value.startsWith("-")))) {
        throw usage(`--${name} needs a value: --${name} ${value}`, command.name);
      }
      if (many !== true && flags[name].length > 0) throw usage(`--${name} is given twice`, command.name);
      flags[name].push(token.value ?? "");
    }
  }
  return { help, positional, further, flags };
}

/** The help text of a command. */
export function helpText(command: Command<string>): string {
  const rows = Object.entries(command.flags).map(
    ([name, { value, meaning }]) => [`--${name}${value === null ? "" : ` ${value}`}`, meaning] as const,
  );
  return [
    command.about,
    "",
    "Usage",
    ...table(command.forms),
    "",
    "Flags",
    ...table([...rows, ["-h, --help", "this text"]]),
    ...(command.notes === undefined ? [] : ["", ...command.notes]),
  ].join("\n");
}

/** Two columns, the first as wide as its widest cell; a cell of the second may hold several lines. */
export function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, right]) =>
    right.split("\n").map((line, i) => `  ${(i === 0 ? left : "").padEnd(width)}${line}`.trimEnd()),
  );
}
