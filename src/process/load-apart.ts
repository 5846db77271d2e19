import { closeSync } from "node:fs";
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

/** What it says. */
export type LoadAnswer =
  | { readonly kind: "loaded"; readonly loaded: LoadedConfig }
  /** Its file exports something that is no data. */
  | { readonly kind: "unsayable"; readonly reason: string };

/** A little more than a module is given to come to an end by itself (`config/import.ts`). */
const DEADLINE_MS = 33_000;

/**
 * Loads a configuration in a process of its own, which is then gone: a changed import is read anew, and a file that ends the process, or
 * never ends, harms nobody. Its priority is that of all others: with a lower one it was seen (Linux 6.18) that on a full core its threads did not
 * come to their end, while this process span in wait4(2), which waits for what they hold of /proc.
 * @param deadlineMs after which it is ended
 */
export async function loadApart(question: LoadQuestion, deadlineMs: number = DEADLINE_MS): Promise<LoadedConfig> {
  const { cmd, env } = ownCommand(["load"]);
  const letter = newLetter(question);
  try {
    const child = Bun.spawn([...cmd], {
      env,
      cwd: question.folder,
      // A file, not a socket: what a configuration of ten thousand routes comes to is megabytes.
      stdio: ["ignore", "inherit", "inherit", letter],
    });
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, deadlineMs);
    await child.exited;
    clearTimeout(late);
    const answer = answerIn(readLetter(letter));
    if (answer?.kind === "loaded") return answer.loaded;
    if (answer?.kind === "unsayable")
      return failed(
        question,
        "CONFIG_FILE_THREW",
        `it exports what is no data: ${answer.reason}`,
        "Export plain data.",
      );
    const why = isLate
      ? `it was not done within ${Math.round(deadlineMs / 1000)} s`
      : child.signalCode === null
        ? `it ended the process with status ${child.exitCode}`
        : `its process was killed (${child.signalCode})`;
    return failed(question, "CONFIG_FILE_THREW", why, "Let it end by itself, with its export.");
  } finally {
    closeSync(letter);
  }
}

/** Where it ended without an answer, what was asked is still there. */
function answerIn(content: unknown): LoadAnswer | null {
  return typeof content === "object" && content !== null && "kind" in content ? (content as LoadAnswer) : null;
}

function failed({ file }: LoadQuestion, code: ErrorCode, message: string, mend: string): LoadedConfig {
  return { file, files: [], problems: [fileProblem(code, file ?? "", message, { mend })] };
}
