import { constants, setPriority } from "node:os";
import type { LoadedConfig } from "../config/load.ts";
import type { Overlay } from "../config/overlay.ts";
import { fileProblem } from "../config/problems.ts";
import type { ErrorCode } from "../errors.ts";
import { ownCommand } from "./worker-command.ts";

/** What the process that loads is asked for. */
export interface LoadQuestion {
  /** `null` for the default file of the folder. */
  readonly file: string | null;
  readonly folder: string;
  readonly over: Readonly<Record<string, unknown>>;
  readonly edits: Overlay;
}

/** What it says. */
export type LoadAnswer =
  | { readonly kind: "loaded"; readonly loaded: LoadedConfig }
  /** Its file exports something that is no data. */
  | { readonly kind: "unsayable"; readonly reason: string };

/** A little more than a module is given to come to an end by itself (`config/import.ts`). */
const DEADLINE_MS = 33_000;

/**
 * Loads a configuration in a process of its own, which is then gone: a changed import is read anew, and a file that ends the process, or
 * never ends, harms nobody. It runs when nothing else wants to: traffic goes first.
 * @param deadlineMs after which it is ended
 */
export async function loadApart(question: LoadQuestion, deadlineMs: number = DEADLINE_MS): Promise<LoadedConfig> {
  const answered = Promise.withResolvers<LoadAnswer | string>();
  const { cmd, env } = ownCommand(["load"]);
  const child = Bun.spawn([...cmd], {
    env,
    cwd: question.folder,
    stdio: ["ignore", "inherit", "inherit"],
    serialization: "advanced", // keeps regular expressions
    // Only this program answers there.
    ipc: (message) => answered.resolve(message as LoadAnswer),
    onExit: (_child, status, signal) =>
      answered.resolve(
        signal === null ? `it ended the process with status ${status}` : `its process was killed (${signal})`,
      ),
  });
  try {
    setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not permitted here; then it takes its turns like everybody.
  }
  const late = setTimeout(
    () => answered.resolve(`it was not done within ${Math.round(deadlineMs / 1000)} s`),
    deadlineMs,
  );
  try {
    child.send(question);
    const answer = await answered.promise;
    if (typeof answer === "string")
      return failed(question, "CONFIG_FILE_THREW", answer, "Let it end by itself, with its export.");
    if (answer.kind === "loaded") return answer.loaded;
    return failed(question, "CONFIG_FILE_THREW", `it exports what is no data: ${answer.reason}`, "Export plain data.");
  } finally {
    clearTimeout(late);
    child.kill("SIGKILL");
  }
}

function failed({ file }: LoadQuestion, code: ErrorCode, message: string, mend: string): LoadedConfig {
  return { file, files: [], problems: [fileProblem(code, file ?? "", message, { mend })] };
}
