import { closeSync } from "node:fs";
import { constants } from "node:os";
import type { LoadedConfig } from "../../config/files/load.ts";
import type { Overlay } from "../../config/overlay/overlay.ts";
import { fileProblem } from "../../config/files/problems.ts";
import type { ErrorCode } from "../../errors.ts";
import { newLetter, readLetter } from "./letter.ts";
import { ownCommand } from "../worker-command.ts";

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

/** A little more than a module is given to come to an end by itself (`config/files/import.ts`). */
const DEADLINE_MS = 33_000;
/** How long it may take where processors are idle at times: several times what 10,000 routes take. */
const PATIENCE_MS = 1_500;

/**
 * Loads a configuration in a process of its own, which is then gone: a changed import is read anew, and a file that ends the process, or
 * never ends, harms nobody. Clients do not wait for it either: it runs when nobody else wants to, and on processors that are never idle
 * another one begins that has its share like all others.
 * @param deadlineMs after which it is ended
 * @param patienceMs after which another one begins
 */
export async function loadApart(
  question: LoadQuestion,
  deadlineMs: number = DEADLINE_MS,
  patienceMs: number = PATIENCE_MS,
): Promise<LoadedConfig> {
  const meek = begun(question, WHEN_IDLE.find(isThere) ?? [], deadlineMs);
  if (!(meek instanceof Loading)) return meek;
  const { promise: waited, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), patienceMs);
  const first = await Promise.race([meek.loaded, waited]);
  clearTimeout(timer);
  // What ends by itself may have been kept from running this way.
  if (first !== null && !meek.ended) return first;
  const bold = begun(question, [], deadlineMs);
  if (!(bold instanceof Loading)) return meek.loaded;
  // An end without an answer leaves it to the other one.
  const loaded = await Promise.race([meek.loaded.then((one) => (meek.ended ? bold.loaded : one)), bold.loaded]);
  meek.end();
  bold.end();
  return loaded;
}

/** Begins to load. @returns what is to be said where the system has no process for it, or no room for what it is asked */
function begun(question: LoadQuestion, prefix: readonly string[], deadlineMs: number): Loading | LoadedConfig {
  try {
    return new Loading(question, prefix, deadlineMs);
  } catch (error) {
    const mend = "Look after the folder that Weir was started in, its folder for temporary files, and its limits.";
    const why = `no process could be started to read it: ${error instanceof Error ? error.message : String(error)}`;
    return failed(question, why, mend, "CONFIG_FILE_UNREADABLE");
  }
}

/** One process that loads. */
class Loading {
  readonly #child: Bun.Subprocess;
  /** Whether it came to its end without an answer. */
  ended = false;
  /** Never rejects. */
  readonly loaded: Promise<LoadedConfig>;

  constructor(question: LoadQuestion, prefix: readonly string[], deadlineMs: number) {
    const { cmd, env } = ownCommand(["load"]);
    const letter = newLetter(question);
    const answered = Promise.withResolvers<true>();
    try {
      this.#child = Bun.spawn([...prefix, ...bounded(cmd, deadlineMs)], {
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
    } catch (error) {
      closeSync(letter);
      throw error;
    }
    this.loaded = this.#answer(question, letter, answered.promise, deadlineMs).finally(() => closeSync(letter));
  }

  /** Its end is not waited for: on full processors that takes its time. */
  end(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // `timeout`, which makes the group, is not there, or not yet.
      this.#child.kill("SIGKILL");
    }
  }

  async #answer(
    question: LoadQuestion,
    letter: number,
    answered: Promise<true>,
    deadlineMs: number,
  ): Promise<LoadedConfig> {
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      this.end();
    }, deadlineMs);
    const isAnswered = await Promise.race([answered, this.#child.exited.then(() => false)]);
    clearTimeout(late);
    const answer = isAnswered ? answerIn(readLetter(letter)) : null;
    if (answer?.kind === "loaded") return answer.loaded;
    if (answer?.kind === "unsayable")
      return failed(question, `it exports what is no data: ${answer.reason}`, "Export plain data.");
    this.ended = !isLate;
    const why = isLate
      ? `it was not done within ${Math.round(deadlineMs / 1000)} s`
      : `its process ${endOf(this.#child)}`;
    return failed(question, why, "Let it end by itself, with its export.");
  }
}

/** Prefixes of a command that run it when nobody else wants to run, as far as the system has that. */
const WHEN_IDLE = [
  ["chrt", "--idle", "0"],
  ["nice", "-n", "19"],
] as const;

function isThere([program]: readonly [string, ...string[]]): boolean {
  return Bun.which(program) !== null;
}

/**
 * `timeout` stands between, whose child the process is, in a group of their own: it ends what never ends where this process is gone, too. And without anything between it was seen
 * (Linux 6.18) that on a full core this process span in wait4(2) as long as the core was full, because the kernel's own thread that clears up
 * /proc after a process did not get its turn.
 */
function bounded(cmd: readonly string[], deadlineMs: number): readonly string[] {
  const bound = ["timeout", "-s", "KILL", String(Math.ceil(deadlineMs / 1000) + 1)] as const;
  return isThere(bound) ? [...bound, ...cmd] : cmd;
}

/** How a process without an answer ended; whoever stands between may tell a signal as 128 and its number. */
function endOf({ exitCode, signalCode }: { exitCode: number | null; signalCode: number | string | null }): string {
  const number = (exitCode ?? 0) - 128;
  const [name] = Object.entries(constants.signals).find(([, each]) => each === number) ?? [signalCode];
  return name === null ? `ended with status ${exitCode}` : `was killed by ${name}`;
}

/** Where it ended without an answer, what was asked is still there. */
function answerIn(content: unknown): LoadAnswer | null {
  return typeof content === "object" && content !== null && "kind" in content ? (content as LoadAnswer) : null;
}

function failed(
  { file }: LoadQuestion,
  message: string,
  mend: string,
  code: ErrorCode = "CONFIG_FILE_THREW",
): LoadedConfig {
  return { file, files: [], problems: [fileProblem(code, file ?? "", message, { mend })] };
}
