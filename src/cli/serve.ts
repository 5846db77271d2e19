import { DEFAULT_POLICY, POLICIES } from "../balance/registry.ts";
import type { Problem } from "../config/files/problems.ts";
import { planFromConfig } from "../config/files/read.ts";
import { type Command, type Given, helpText, readArguments, usage } from "./command.ts";
import { reportProblems } from "./report.ts";
import { runConfig } from "./run.ts";

type Name = "listen" | "to" | "mode" | "policy" | "health" | "workers" | "admin" | "watch";

export const SERVE: Command<Name> = {
  name: "serve",
  about: "Balances connections or requests over backends.",
  forms: [
    ["weir serve --listen ADDR --to ADDR [--to ADDR …]", "everything on the command line"],
    ["weir serve [FILE]", "a configuration file; without one, the first weir.config.* of this folder"],
  ],
  positional: "FILE",
  flags: {
    listen: {
      value: "ADDR",
      many: true,
      meaning: "accept here: :8080 (every interface), host:port, [::1]:port or unix:/path; repeatable",
    },
    to: {
      value: "ADDR[,weight=N]",
      many: true,
      meaning: "a backend: host:port, :port (this machine), http://host:port or unix:/path; repeatable",
    },
    mode: { value: "http|tcp", meaning: "balance requests (default) or connections" },
    policy: {
      value: "NAME",
      meaning: `how a backend is chosen: ${[...POLICIES.keys()].join(", ")}\n(default ${DEFAULT_POLICY})`,
    },
    health: {
      value: "/PATH|tcp|off",
      meaning: "how backends are probed: HTTP requests for a path, connections, or not (default)",
    },
    workers: { value: "N|auto", meaning: "worker processes; auto (default) is one per core" },
    admin: { value: "ADDR|off", meaning: "where the admin API listens" },
    watch: { value: null, meaning: "reload when a file of the configuration changes" },
  },
  notes: [
    "SIGHUP reloads. SIGUSR2 starts the program anew on the same sockets; the old one finishes what is open.",
    "SIGTERM and Ctrl-C drain: nothing new is accepted, what is open is finished. A second one ends at once.",
    "Exit status: 0 after a drain, 1 when it could not start, 130 or 143 after a second Ctrl-C or SIGTERM.",
    "",
    "Example",
    "  weir serve --listen :8080 --to :8001 --to :8002,weight=2",
  ],
};

/** `weir serve`: runs until a signal. @returns the exit status */
export async function serve(args: readonly string[]): Promise<number> {
  const given = readArguments(SERVE, args);
  if (given.help) {
    console.log(helpText(SERVE));
    return 0;
  }
  const { flags } = given;
  if (flags.listen.length + flags.to.length > 0) {
    const mends = { LISTEN_IN_USE: "Stop that program, or choose another address with --listen." };
    return runConfig({ kind: "object", config: fromFlags(given) }, { mends, named });
  }
  const { over, problems } = await besideFile(given);
  if (problems.length > 0) {
    reportProblems(problems.map(named), null);
    return 1;
  }
  return runConfig({ kind: "file", file: given.positional, over }, { watch: flags.watch.length > 0 });
}

/** The configuration that flags stand for. */
function configOfFlags(flags: Given<Name>["flags"]): object {
  const [mode] = flags.mode;
  const [policy] = flags.policy;
  const [health] = flags.health;
  const listeners = flags.listen.map((address, i) => [
    i === 0 ? "main" : `main-${i + 1}`,
    { address, pool: "backends", ...(mode === undefined ? {} : { mode }) },
  ]);
  const pool = {
    backends: flags.to,
    ...(policy === undefined ? {} : { policy }),
    ...(health === undefined ? {} : { health }),
  };
  // Checked by the schema like a file's: a user may have written anything.
  return { listeners: Object.fromEntries(listeners), pools: { backends: pool }, ...ofProcess(flags) };
}

/** What may also stand beside a file: it is about this run, not about what is balanced. */
function ofProcess(flags: Given<Name>["flags"]): Readonly<Record<string, unknown>> {
  const [workers] = flags.workers;
  const [admin] = flags.admin;
  return {
    ...(workers === undefined ? {} : { workers: /^\d+$/.test(workers) ? Number(workers) : workers }),
    ...(admin === undefined ? {} : { admin }),
  };
}

function fromFlags({ flags, positional }: Given<Name>): object {
  if (positional !== null) {
    throw usage(`a file (${positional}) and --listen or --to exclude each other: give one or the other`, "serve");
  }
  if (flags.to.length === 0) throw usage("--listen needs a backend: --to ADDR", "serve");
  if (flags.listen.length === 0) throw usage("--to needs an address to accept on: --listen ADDR", "serve");
  if (flags.watch.length > 0) throw usage("--watch watches over a file, and here is none", "serve");
  return configOfFlags(flags);
}

/** What flags say beside a file, and what is wrong with it. */
async function besideFile({
  flags,
}: Given<Name>): Promise<{ readonly over: Readonly<Record<string, unknown>>; readonly problems: readonly Problem[] }> {
  for (const name of ["mode", "policy", "health"] as const) {
    if (flags[name].length > 0) throw usage(`--${name} belongs to --listen and --to; a file says it itself`, "serve");
  }
  const over = ofProcess(flags);
  // The smallest right configuration carries the flags through the same checks.
  const address = "127.0.0.1:1";
  const listeners = { main: { address, pool: "backends" } };
  const config = { listeners, pools: { backends: { backends: [address] } }, ...over };
  const checked = await planFromConfig(config, { file: null });
  const problems = "problems" in checked ? checked.problems : [];
  // The file may ask for a token: the two are checked together when it is read.
  return { over, problems: problems.filter(({ code }) => code !== "ADMIN_NEEDS_TOKEN") };
}

/** Names the flag where the user wrote no key. */
function named(problem: Problem): Problem {
  return { ...problem, key: flagOf(problem.key) };
}

function flagOf(key: string): string {
  if (/^listeners\..*\.mode$/.test(key)) return "--mode";
  if (/^pools\..*\.policy$/.test(key)) return "--policy";
  if (/^pools\..*\.health$/.test(key)) return "--health";
  const [top = ""] = key.split(".");
  return { listeners: "--listen", pools: "--to", workers: "--workers", admin: "--admin" }[top] ?? key;
}
