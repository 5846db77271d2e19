import { load } from "../config/load.ts";
import { WeirError } from "../errors.ts";
import { editing } from "./config-source.ts";
import type { LoadAnswer, LoadQuestion } from "./load-apart.ts";

/**
 * The life of a process that loads a configuration for a supervisor: one question, one answer, and its end.
 * @throws CLI_USAGE when no supervisor started this process
 */
export function runLoader(): void {
  if (process.send === undefined) throw new WeirError("CLI_USAGE", "`load` is started by `weir serve` itself");
  process.on("disconnect", () => process.exit(1));
  // Asked once, by this very program.
  process.once("message", (message) => void answerTo(message as LoadQuestion));
}

async function answerTo({ file, folder, over, edits }: LoadQuestion): Promise<void> {
  const loaded = await load(file, folder, { edit: editing(over, edits) });
  try {
    // What is not asked about is in nobody's way: it is sent so that it can be edited.
    say({ kind: "loaded", loaded });
  } catch (error) {
    say({ kind: "unsayable", reason: String(error) });
  }
}

function say(answer: LoadAnswer): void {
  process.send?.(answer, undefined, undefined, () => process.exit(0));
}
