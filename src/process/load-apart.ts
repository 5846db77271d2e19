import { closeSync } from "node:fs";
import { constants } from "node:os";
import type { LoadedConfig } from "../config/load.ts";
import type { Overlay } from "../config/overlay.ts";
import { fileProblem } from "../config/problems.ts";
import type { ErrorCode } from "../errors.ts";
import { newLetter, readLetter } from "./letter.ts";
import { ownCommand } from "./worker-command.ts";

/** What the process that loads is asked for. */
export interface LoadQuestion {
  /** `null` for the default file of the folder. */
  readonly file: string | null;
  readonly folder: string;
  readonly over: Readonly<Record<string, unknown>>;
  readonly edits: Overlay;
}

/** Where the process that loads finds what it is asked, and leaves what it says. */
export const LETTER_FD = 3;

/** Said when the letter holds the answer. */
export const ANSWERED = "answered";

/** What it says. */
export type LoadAnswer =
  | { readonly kind: "loaded"; readonly loaded: LoadedConfig }
  /** Its file exports something that is no data. */
  | { readonly kind: "unsayable"; readonly reason: string };

/** A little more than a module is given to come to an end by itself (`config/import.ts`). */
const DEADLINE_MS = 33_000;

/**
 * Loads a configuration in a process of its own, which is then gone: a changed import is read anew, and a file that ends the process, or
 * never ends, harms nobody. Clients do not wait for it either: it has a lower priority.
 * @param deadlineMs after which it is ended
 */
export async function loadApart(question: LoadQuestion, deadlineMs: number = DEADLINE_MS): Promise<LoadedConfig> {
  const { cmd, env } = ownCommand(["load"]);
  const letter = newLetter(question);
  const answered = Promise.withResolvers<true>();
  try {
    const child = Bun.spawn(withLowPriority(cmd), {
      // A process that lives for a third of a second only loses by the compiler for code that runs for long.
      env: { ...env, BUN_JSC_useFTLJIT: "0" },
      cwd: question.folder,
      // A file, not a socket: what a configuration of ten thousand routes comes to is megabytes.
      stdio: ["ignore", "inherit", "inherit", letter],
      serialization: "json",
      ipc: (message: unknown) => {
        if (message === ANSWERED) answered.resolve(true);
      },
    });
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, deadlineMs);
    // Its end is not waited for where it has answered: on full processors that takes its time.
    const isAnswered = await Promise.race([answered.promise, child.exited.then(() => false)]);
    void child.exited.finally(() => clearTimeout(late));
    const answer = isAnswered ? answerIn(readLetter(letter)) : null;
    if (answer?.kind === "loaded") return answer.loaded;
    if (answer?.kind === "unsayable")
      return failed(
        question,
        "CONFIG_FILE_THREW",
        `it exports what is no data: ${answer.reason}`,
        "Export plain data.",
      );
    const why = isLate ? `it was not done within ${Math.round(deadlineMs / 1000)} s` : `its process ${endOf(child)}`;
    return failed(question, "CONFIG_FILE_THREW", why, "Let it end by itself, with its export.");
  } finally {
    closeSync(letter);
  }
}

/** A third of a worker's share of a full processor. */
const NICENESS = 5;

/**
 * A shell of the same priority stays between, whose child it is. Without it, it was seen (Linux 6.18) that on a full core this process span in
 * wait4(2) as long as the core was full, because the kernel's own thread that clears up /proc after a process did not get its turn.
 */
function withLowPriority(cmd: readonly string[]): string[] {
  const nice = Bun.which("nice");
  const shell = Bun.which("sh");
  return nice === null || shell === null
    ? [...cmd]
    : [nice, "-n", String(NICENESS), shell, "-c", '"$@"; exit $?', "weir", ...cmd];
}

/** How a process without an answer ended; a shell tells a signal as 128 and its number. */
function endOf({ exitCode, signalCode }: { exitCode: number | null; signalCode: number | string | null }): string {
  const number = (exitCode ?? 0) - 128;
  const [name] = Object.entries(constants.signals).find(([, each]) => each === number) ?? [signalCode];
  return name === null ? `ended with status ${exitCode}` : `was killed by ${name}`;
}

/** Where it ended without an answer, what was asked is still there. */
function answerIn(content: unknown): LoadAnswer | null {
  return typeof content === "object" && content !== null && "kind" in content ? (content as LoadAnswer) : null;
}

function failed({ file }: LoadQuestion, code: ErrorCode, message: string, mend: string): LoadedConfig {
  return { file, files: [], problems: [fileProblem(code, file ?? "", message, { mend })] };
}
