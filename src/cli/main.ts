import { WeirError } from "../errors.ts";
import { flushLog } from "../observe/stderr-log.ts";
import { unknownCommand, usage } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { reportError } from "./report.ts";

/** Nothing answers where a running Weir was asked: a script may want to start one. */
const NO_WEIR = 3;

async function run(args: string[]): Promise<number | null> {
  const [word, ...rest] = args;
  if (word === "worker") {
    // Hidden: the supervisor starts workers with it.
    (await import("../process/worker/worker.ts")).runWorker();
    return null;
  }
  if (word === "load") {
    // Hidden: it reads configurations for the supervisor.
    return (await import("../process/load/loader.ts")).runLoader();
  }
  if (word === undefined || word === "--help" || word === "-h" || word === "help") {
    const command = word === "help" ? rest[0] : undefined;
    if (command !== undefined) return run([command, "--help"]);
    console.log((await import("./help.ts")).HELP);
    return 0;
  }
  if (word === "--version" || word === "-v") {
    console.log(`weir ${(await import("../version.ts")).VERSION} (Bun ${Bun.version})`);
    return 0;
  }
  if (!Object.hasOwn(COMMANDS, word)) {
    if (word.startsWith("-"))
      throw usage(`"${word}" is no command: a command comes first, as in \`weir serve ${word}\``);
    throw unknownCommand(word, Object.keys(COMMANDS));
  }
  const command = await COMMANDS[word]?.();
  return command === undefined ? 1 : command.run(rest);
}

try {
  const status = await run(process.argv.slice(2));
  if (status !== null) {
    await flushLog();
    process.exit(status);
  }
} catch (error) {
  if (!(error instanceof WeirError)) throw error;
  reportError(error);
  process.exit(error.code === "ADMIN_UNREACHABLE" ? NO_WEIR : 1);
}
