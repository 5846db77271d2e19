import { closeSync } from "node:fs";
import { constants } from "node:os";
import { systemClock } from "../../clock.ts";
import type { LoadedConfig } from "../../config/files/load.ts";
import { fileProblem, type Problem } from "../../config/files/problems.ts";
import type { Steps } from "../../steps.ts";
import type { ErrorCode } from "../../errors.ts";
import type { Plan } from "../../plan.ts";
import { leisurely } from "../leisurely.ts";
import type { Manifest, PartId } from "../parts/manifest.ts";
import type { SentPart } from "../parts/plan-parts.ts";
import { type KnownParts, PlanShelf } from "../parts/plan-shelf.ts";
import { ownCommand } from "../worker-command.ts";
import { newLetter, readLetter } from "./letter.ts";
import { answerIn, type LoadAnswer, type LoadQuestion, questionSheets } from "./load-letters.ts";

/** Where plans are put together of what is known already and what is new. */
export interface Shelf {
  known(): Steps<KnownParts>;
  unpack(manifest: Manifest, parts: Iterable<readonly SentPart[]>, known: readonly PartId[]): Steps<Plan>;
}

/** Where the process that loads finds what it is asked, and leaves what it says. */
export const LETTER_FD = 3;

/** Said when the letter holds the answer. */
export const ANSWERED = "answered";

/** A little more than a module is given to come to an end by itself (`config/files/import.ts`). */
const DEADLINE_MS = 33_000;
/** How long it may take where processors are idle at times: several times what 10,000 routes take. */
const PATIENCE_MS = 1_500;

/**
 * Loads a configuration in a process of its own, which is then gone: a changed import is read anew, and a file that ends the process, or
 * never ends, harms nobody. Clients do not wait for it either: it runs when nobody else wants to, and on processors that are never idle
 * another one begins that has its share like all others.
 * @param shelf what is on it is not sent, and comes out of it again as the very same objects
 * @param deadlineMs after which it is ended
 * @param patienceMs after which another one begins
 */
export async function loadApart(
  question: LoadQuestion,
  shelf: Shelf = emptyShelf(),
  deadlineMs: number = DEADLINE_MS,
  patienceMs: number = PATIENCE_MS,
): Promise<LoadedConfig> {
  const { ids, digests } = await leisurely(shelf.known(), systemClock);
  const answer = await answerTo(questionSheets(question, digests), question, deadlineMs, patienceMs);
  const { file, files, raw } = answer;
  const outcome =
    answer.kind === "wrong"
      ? { problems: answer.problems }
      : { plan: await leisurely(shelf.unpack(answer.manifest, answer.parts, ids), systemClock) };
  return {
    file,
    files,
    ...outcome,
    get raw() {
      return raw();
    },
  };
}

type Answer = Exclude<LoadAnswer, { readonly kind: "unsayable" }>;

async function answerTo(
  sheets: readonly Uint8Array[],
  question: LoadQuestion,
  deadlineMs: number,
  patienceMs: number,
): Promise<Answer> {
  const meek = begun(sheets, question, WHEN_IDLE.find(isThere) ?? [], deadlineMs);
  if (!(meek instanceof Loading)) return meek;
  const { promise: waited, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), patienceMs);
  const first = await Promise.race([meek.answer, waited]);
  clearTimeout(timer);
  // What ends by itself may have been kept from running this way.
  if (first !== null && !meek.ended) return first;
  const bold = begun(sheets, question, [], deadlineMs);
  if (!(bold instanceof Loading)) return meek.answer;
  // An end without an answer leaves it to the other one.
  const answer = await Promise.race([meek.answer.then((one) => (meek.ended ? bold.answer : one)), bold.answer]);
  meek.end();
  bold.end();
  return answer;
}

/** Begins to load. @returns what is to be said where the system has no process for it, or no room for what it is asked */
function begun(
  sheets: readonly Uint8Array[],
  question: LoadQuestion,
  prefix: readonly string[],
  deadlineMs: number,
): Loading | Answer {
  try {
    return new Loading(sheets, question, prefix, deadlineMs);
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
  readonly answer: Promise<Answer>;

  constructor(sheets: readonly Uint8Array[], question: LoadQuestion, prefix: readonly string[], deadlineMs: number) {
    const { cmd, env } = ownCommand(["load"]);
    const letter = newLetter(sheets);
    const answered = Promise.withResolvers<true>();
    try {
      this.#child = Bun.spawn([...prefix, ...bounded(cmd, deadlineMs)], {
        env: { ...env, ...MODEST },
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
    this.answer = this.#answer(question, letter, answered.promise, deadlineMs).finally(() => closeSync(letter));
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

  async #answer(question: LoadQuestion, letter: number, answered: Promise<true>, deadlineMs: number): Promise<Answer> {
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      this.end();
    }, deadlineMs);
    const isAnswered = await Promise.race([answered, this.#child.exited.then(() => false)]);
    clearTimeout(late);
    // What cannot be read is no answer either.
    const sheets = isAnswered ? await readLetter(letter).catch(() => null) : null;
    const answer = answerIn(sheets);
    if (answer !== null && answer.kind !== "unsayable") return answer;
    if (answer !== null) return failed(question, `it exports what is no data: ${answer.reason}`, "Export plain data.");
    this.ended = !isLate;
    const why = isLate
      ? `it was not done within ${Math.round(deadlineMs / 1000)} s`
      : `its process ${endOf(this.#child)}`;
    return failed(question, why, "Let it end by itself, with its export.");
  }
}

/**
 * Settings of the runtime. A process that lives for a third of a second only loses by the compiler for code that runs for long. And all is done by one
 * thread: under SCHED_IDLE each is owed a thousandth of a processor, and gets it in a stretch until the next tick (4 ms at 250 a second), in which
 * nobody else runs there.
 */
const MODEST = {
  BUN_JSC_useFTLJIT: "0",
  BUN_JSC_useConcurrentJIT: "0",
  BUN_JSC_useConcurrentGC: "0",
  BUN_JSC_numberOfGCMarkers: "1",
  BUN_FEATURE_FLAG_DISABLE_ASYNC_TRANSPILER: "1",
} as const;

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

function failed({ file }: LoadQuestion, message: string, mend: string, code: ErrorCode = "CONFIG_FILE_THREW"): Answer {
  const problems: readonly Problem[] = [fileProblem(code, file ?? "", message, { mend })];
  return { kind: "wrong", file, files: [], raw: () => undefined, problems };
}

/** Of which nothing is known. */
function emptyShelf(): Shelf {
  const shelf = new PlanShelf();
  return {
    known: () => shelf.known(),
    unpack: (manifest, parts, known) => shelf.unpack(manifest, parts, known, null),
  };
}
