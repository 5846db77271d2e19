import { DEFAULT_POLICY, POLICIES } from "../balance/registry.ts";
import { load } from "../config/load.ts";
import type { Plan } from "../plan.ts";
import type { Problem } from "../config/problems.ts";
import { planFromConfig } from "../config/read.ts";
import { type Command, type Given, helpText, readArguments, usage } from "./command.ts";
import { reportProblems } from "./report.ts";
import { runPlan } from "./run.ts";

type Name = "listen" | "to" | "mode" | "policy" | "health" | "workers" | "admin";

const SERVE: Command<Name> = {
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
  },
  notes: [
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
  const byFlags = flags.listen.length + flags.to.length > 0;
  const loaded = byFlags ? await fromFlags(given) : await fromFile(given);
  if ("problems" in loaded) {
    reportProblems(loaded.problems);
    return 1;
  }
  return runPlan(
    loaded.plan,
    byFlags ? { LISTEN_IN_USE: "Stop that program, or choose another address with --listen." } : {},
  );
}

type Loaded = { readonly plan: Plan } | { readonly problems: readonly Problem[] };

/** The configuration that flags stand for. */
function configOfFlags(flags: Given<Name>["flags"]): unknown {
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
function ofProcess(flags: Given<Name>["flags"]): object {
  const [workers] = flags.workers;
  const [admin] = flags.admin;
  return {
    ...(workers === undefined ? {} : { workers: /^\d+$/.test(workers) ? Number(workers) : workers }),
    ...(admin === undefined ? {} : { admin }),
  };
}

async function fromFlags(given: Given<Name>): Promise<Loaded> {
  const { flags, positional } = given;
  if (positional !== null) {
    throw usage(`a file (${positional}) and --listen or --to exclude each other: give one or the other`, "serve");
  }
  if (flags.to.length === 0) throw usage("--listen needs a backend: --to ADDR", "serve");
  if (flags.listen.length === 0) throw usage("--to needs an address to accept on: --listen ADDR", "serve");
  return named(await planFromConfig(configOfFlags(flags), { file: null }));
}

async function fromFile(given: Given<Name>): Promise<Loaded> {
  const { flags, positional } = given;
  for (const name of ["mode", "policy", "health"] as const) {
    if (flags[name].length > 0) throw usage(`--${name} belongs to --listen and --to; a file says it itself`, "serve");
  }
  const loaded = await load(positional);
  if ("problems" in loaded) return loaded;
  // The smallest right configuration carries the flags through the same checks.
  const address = "127.0.0.1:1";
  const listeners = { main: { address, pool: "backends" } };
  const config = { listeners, pools: { backends: { backends: [address] } }, ...ofProcess(flags) };
  const extra = named(await planFromConfig(config, { file: null }));
  if ("problems" in extra) return extra;
  return {
    plan: {
      ...loaded.plan,
      ...(flags.workers.length > 0 ? { workers: extra.plan.workers } : {}),
      ...(flags.admin.length > 0 ? { admin: extra.plan.admin } : {}),
    },
  };
}

/** Names the flag where the user wrote no key. */
function named(loaded: Loaded): Loaded {
  if ("plan" in loaded) return loaded;
  return { problems: loaded.problems.map((problem) => ({ ...problem, key: flagOf(problem.key) })) };
}

function flagOf(key: string): string {
  if (/^listeners\..*\.mode$/.test(key)) return "--mode";
  if (/^pools\..*\.policy$/.test(key)) return "--policy";
  if (/^pools\..*\.health$/.test(key)) return "--health";
  const [top = ""] = key.split(".");
  return { listeners: "--listen", pools: "--to", workers: "--workers", admin: "--admin" }[top] ?? key;
}
