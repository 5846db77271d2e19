import { fstatSync } from "node:fs";
import { load } from "../../config/files/load.ts";
import { WeirError } from "../../errors.ts";
import { editing } from "./config-source.ts";
import { readLetter, writeLetter } from "./letter.ts";
import { ANSWERED, LETTER_FD, type LoadAnswer, type LoadQuestion } from "./load-apart.ts";

/**
 * The life of a process that loads a configuration for a supervisor: one question, one answer, and its end.
 * @throws CLI_USAGE when no supervisor started this process
 */
export async function runLoader(): Promise<never> {
  const { file, folder, over, edits } = asked();
  // Nobody wants the answer any more.
  process.on("disconnect", () => process.exit(1));
  const loaded = await load(file, folder, { edit: editing(over, edits) });
  try {
    // What is not asked about is in nobody's way: it is sent so that it can be edited.
    await say({ kind: "loaded", loaded });
  } catch (error) {
    await say({ kind: "unsayable", reason: String(error) });
  }
  process.exit(0);
}

function asked(): LoadQuestion {
  try {
    fstatSync(LETTER_FD);
  } catch {
    throw new WeirError("CLI_USAGE", "`load` is started by `weir serve` itself");
  }
  // Asked by this very program.
  const question = readLetter(LETTER_FD) as LoadQuestion | null;
  if (question === null) throw new WeirError("CLI_USAGE", "`load` is started by `weir serve` itself");
  return question;
}

async function say(answer: LoadAnswer): Promise<void> {
  writeLetter(LETTER_FD, answer);
  if (!process.connected) process.exit(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  process.send?.(ANSWERED, undefined, undefined, () => resolve());
  await promise;
}
