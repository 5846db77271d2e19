import type { Command } from "./command.ts";

type Commands = readonly Command<string>[];

/** What a positional argument is, for a shell. */
type Kind = "file" | "backend" | "pool" | "shell" | "none";

function kindOf({ positional }: Command<string>): Kind {
  if (positional === "FILE") return "file";
  if (positional === "POOL/BACKEND") return "backend";
  if (positional === "POOL") return "pool";
  return positional === "SHELL" ? "shell" : "none";
}

function flagsOf({ flags }: Command<string>): string[] {
  return [...Object.keys(flags), "help"].map((name) => `--${name}`);
}

/** Flags after which a file comes. */
function fileFlagsOf(commands: Commands): string[] {
  const names = commands.flatMap(({ flags }) =>
    Object.entries(flags).flatMap(([name, { value }]) => (value === "FILE" ? [`--${name}`] : [])),
  );
  return [...new Set(names)];
}

/** The backends of the running Weir, a line each; nothing where there is none. */
const BACKENDS = "weir backends --names 2>/dev/null";

/** Leaves files to readline: it knows how to write a name with spaces or quotes, and goes on in a folder. */
const BASH_FILES = "compopt -o default";

/** For bash 4 and later, with or without the package bash-completion. */
export function bashScript(commands: Commands): string {
  const cases = commands.map((command) => {
    const positional: Readonly<Record<Kind, string>> = {
      file: BASH_FILES,
      backend: `COMPREPLY=($(compgen -W "$(${BACKENDS})" -- "$cur"))`,
      pool: `COMPREPLY=($(compgen -W "$(${BACKENDS} | cut -d/ -f1 | sort -u)" -- "$cur"))`,
      shell: 'COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur"))',
      none: ":",
    };
    const flags = flagsOf(command).join(" ");
    return `    ${command.name}) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "${flags}" -- "$cur")); else ${positional[kindOf(command)]}; fi ;;`;
  });
  return `_weir() {
  local line cur
  local word=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  line=\${COMP_LINE:0:COMP_POINT}
  # bash breaks words at colons, and addresses have some: the word up to the cursor is that after the last space.
  cur=\${line##* }
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} --help --version" -- "$cur"))
    return
  fi
  case $prev in
    ${fileFlagsOf(commands).join("|")}) ${BASH_FILES}; return ;;
  esac
  case $command in
${cases.join("\n")}
  esac
  # What stands before the last colon is there already.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local before=\${cur%"\${cur##*:}"} i
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"$before"}; done
  fi
}
complete -F _weir weir`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** For zsh, after \`compinit\`. */
export function zshScript(commands: Commands): string {
  const actions: Readonly<Record<Kind, string>> = {
    file: "_files",
    backend: `{ local -a known; known=(\${(f)"$(${BACKENDS})"}); compadd -a known }`,
    pool: `{ local -a known; known=(\${(fu)"$(${BACKENDS} | cut -d/ -f1)"}); compadd -a known }`,
    shell: "(bash zsh fish)",
    none: "()",
  };
  const described = (meaning: string): string =>
    (meaning.split("\n")[0] ?? "").replaceAll(/[[\]:]/g, (sign) => `\\${sign}`);
  const cases = commands.map((command) => {
    const flags = Object.entries(command.flags).map(([name, { value, many, meaning }]) => {
      const after = value === null ? "" : `:${value.replaceAll(":", "\\:")}:${value === "FILE" ? "_files" : "( )"}`;
      return quoted(`${many === true ? "*" : ""}--${name}[${described(meaning)}]${after}`);
    });
    const kind = kindOf(command);
    const positional = kind === "none" ? [] : [quoted(`1:${command.positional ?? ""}:${actions[kind]}`)];
    return `    (${command.name}) _arguments ${[...flags, quoted("--help[this text]"), ...positional].join(" ")} ;;`;
  });
  const all = commands.map(({ name, about }) => quoted(`${name}:${about}`)).join(" ");
  return `_weir() {
  local -a all
  all=(${all})
  if (( CURRENT == 2 )); then
    _describe command all
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
compdef _weir weir`;
}

/** For fish. */
export function fishScript(commands: Commands): string {
  const lines = ["complete -c weir -f"];
  const actions: Readonly<Record<Kind, string | null>> = {
    file: "-F",
    backend: `-a ${quoted(`(${BACKENDS})`)}`,
    pool: `-a ${quoted(`(${BACKENDS} | string split -f1 / | sort -u)`)}`,
    shell: "-a 'bash zsh fish'",
    none: null,
  };
  for (const command of commands) {
    lines.push(`complete -c weir -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.about)}`);
    const here = `complete -c weir -n '__fish_seen_subcommand_from ${command.name}'`;
    for (const [name, { value, meaning }] of Object.entries(command.flags)) {
      const after = value === null ? "" : value === "FILE" ? " -r -F" : " -r";
      lines.push(`${here} -l ${name}${after} -d ${quoted(meaning.split("\n")[0] ?? "")}`);
    }
    const action = actions[kindOf(command)];
    if (action !== null) lines.push(`${here} ${action}`);
  }
  return lines.join("\n");
}
