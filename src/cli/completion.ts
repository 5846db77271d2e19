import { type Command, helpText, readArguments, table, usage } from "./command.ts";
import { bashScript, fishScript, zshScript } from "./completion-scripts.ts";

export const COMPLETION: Command<never> = {
  name: "completion",
  about: "Prints what makes a shell complete commands, flags, files, and the backends of the running Weir.",
  forms: [["weir completion bash|zsh|fish", "for that shell"]],
  positional: "SHELL",
  flags: {},
  notes: [
    "To have it in each new shell:",
    ...table([
      ["bash", "echo 'eval \"$(weir completion bash)\"' >> ~/.bashrc"],
      ["zsh", "echo 'eval \"$(weir completion zsh)\"' >> ~/.zshrc, after compinit"],
      ["fish", "weir completion fish > ~/.config/fish/completions/weir.fish"],
    ]),
  ],
};

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/**
 * `weir completion SHELL`.
 * @param all loads every command
 * @returns the exit status
 * @throws CLI_USAGE
 */
export async function completion(
  args: readonly string[],
  all: readonly (() => Promise<{ readonly command: Command<string> }>)[],
): Promise<number> {
  const { help, positional } = readArguments(COMPLETION, args);
  if (help) {
    console.log(helpText(COMPLETION));
    return 0;
  }
  if (positional === null || !Object.hasOwn(SCRIPTS, positional))
    throw usage(`which shell? bash, zsh or fish${positional === null ? "" : `, not "${positional}"`}`, "completion");
  const commands = await Promise.all(all.map(async (load) => (await load()).command));
  console.log(SCRIPTS[positional as keyof typeof SCRIPTS](commands));
  return 0;
}
