import { fstatSync } from "node:fs";
import { load } from "../../config/files/load.ts";
import { WeirError } from "../../errors.ts";
import { editing } from "./config-source.ts";
import { readLetter, writeLetter } from "./letter.ts";
import { ANSWERED, LETTER_FD } from "./load-apart.ts";
import { answerSheets, questionIn, unsayableSheets } from "./load-letters.ts";

/**
 * The life of a process that loads a configuration for a supervisor: one question, one answer, and its end.
 * @throws CLI_USAGE when no supervisor started this process
 */
export async function runLoader(): Promise<never> {
  const { question, known } = await asked();
  const { file, folder, over, edits } = question;
  // Nobody wants the answer any more.
  process.on("disconnect", () => process.exit(1));
  const loaded = await load(file, folder, { edit: editing(over, edits) });
  let sheets: readonly Uint8Array[];
  try {
    sheets = answerSheets(loaded, known);
  } catch (error) {
    sheets = unsayableSheets(String(error));
  }
  await say(sheets);
  process.exit(0);
}

async function asked(): Promise<NonNullable<ReturnType<typeof questionIn>>> {
  try {
    fstatSync(LETTER_FD);
  } catch {
    throw new WeirError("CLI_USAGE", "`load` is started by `weir serve` itself");
  }
  const question = questionIn(await readLetter(LETTER_FD));
  if (question === null) throw new WeirError("CLI_USAGE", "`load` is started by `weir serve` itself");
  return question;
}

async function say(sheets: readonly Uint8Array[]): Promise<void> {
  writeLetter(LETTER_FD, sheets);
  if (!process.connected) process.exit(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  process.send?.(ANSWERED, undefined, undefined, () => resolve());
  await promise;
}
