import { WeirError } from "../errors.ts";
import { flushLog } from "../observe/stderr-log.ts";
import { unknownCommand, usage } from "./command.ts";
import { reportError } from "./report.ts";

type Run = (args: string[]) => Promise<number>;

/** Every command. Loaded when it is called: a worker must not carry what only the others need. */
const COMMANDS: Readonly<Record<string, () => Promise<Run>>> = {
  serve: async () => (await import("./serve.ts")).serve,
  check: async () => (await import("./check.ts")).check,
  demo: async () => (await import("./demo.ts")).demo,
};

async function run(args: string[]): Promise<number | null> {
  const [word, ...rest] = args;
  if (word === "worker") {
    // Hidden: the supervisor starts workers with it.
    (await import("../process/worker.ts")).runWorker();
    return null;
  }
  if (word === undefined || word === "--help" || word === "-h" || word === "help") {
    const command = word === "help" ? rest[0] : undefined;
    if (command !== undefined) return run([command, "--help"]);
    console.log((await import("./help.ts")).HELP);
    return 0;
  }
  if (word === "--version" || word === "-v") {
    console.log(`weir ${(await import("./version.ts")).VERSION} (Bun ${Bun.version})`);
    return 0;
  }
  if (!Object.hasOwn(COMMANDS, word)) {
    if (word.startsWith("-"))
      throw usage(`"${word}" is no command: a command comes first, as in \`weir serve ${word}\``);
    throw unknownCommand(word, Object.keys(COMMANDS));
  }
  const command = await COMMANDS[word]?.();
  return command === undefined ? 1 : command(rest);
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
  process.exit(1);
}
