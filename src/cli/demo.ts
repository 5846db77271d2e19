import { planFromConfig } from "../config/read.ts";
import { rowsOf } from "../engine/rows.ts";
import { WeirError } from "../errors.ts";
import { type Address, formatAddress } from "../address.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Supervisor } from "../process/supervisor.ts";
import { type Command, helpText, readArguments, usage } from "./command.ts";
import { type DemoBackends, startDemoBackends } from "./demo-backends.ts";
import { reportError, reportProblems } from "./report.ts";
import { runPlan } from "./run.ts";
import { shares, spreadLine } from "./spread.ts";

const DEMO: Command<"listen" | "backends" | "workers"> = {
  name: "demo",
  about: "Starts small HTTP backends and Weir in front of them, and shows how requests spread.",
  forms: [["weir demo", "backends on 8001, 8002 and 8003, Weir on 8080, round robin"]],
  positional: null,
  flags: {
    listen: { value: "ADDR", meaning: "where Weir accepts (default :8080)" },
    backends: {
      value: "PORT,PORT,…",
      meaning: "ports of the backends (default 8001,8002,8003); 0 lets the system choose",
    },
    workers: { value: "N|auto", meaning: "worker processes; auto (default) is one per core" },
  },
};

/** `weir demo`: runs until a signal. @returns the exit status */
export async function demo(args: readonly string[]): Promise<number> {
  const { help, flags } = readArguments(DEMO, args);
  if (help) {
    console.log(helpText(DEMO));
    return 0;
  }
  let backends: DemoBackends;
  try {
    backends = await startDemoBackends(portsOf(flags.backends[0] ?? "8001,8002,8003"));
  } catch (error) {
    if (!(error instanceof WeirError) || error.code === "CLI_USAGE") throw error;
    reportError(error, { LISTEN_IN_USE: "Stop that program, or choose other ports with --backends PORT,PORT,…" });
    return 1;
  }
  try {
    const [workers = "auto"] = flags.workers;
    const config = {
      listeners: { web: { address: flags.listen[0] ?? ":8080", pool: "demo" } },
      pools: { demo: { backends: backends.ports.map((port) => `127.0.0.1:${port}`) } },
      workers: /^\d+$/.test(workers) ? Number(workers) : workers,
      admin: "off",
      shutdown: { timeout: "5s" }, // nobody waits for a demo
    };
    const loaded = await planFromConfig(config, { file: null });
    if ("problems" in loaded) {
      const flag = (key: string): string =>
        key === "workers" ? "--workers" : key.startsWith("listeners") ? "--listen" : key;
      reportProblems(loaded.problems.map((problem) => ({ ...problem, key: flag(problem.key) })));
      return 1;
    }
    const mends = { LISTEN_IN_USE: "Stop that program, or choose another port with --listen, as in --listen :8090." };
    return await runPlan(loaded.plan, mends, (supervisor) => showSpread(supervisor));
  } finally {
    await backends.stop();
  }
}

function portsOf(text: string): number[] {
  return text.split(",").map((part) => {
    const port = Number(part);
    if (!/^\s*\d{1,5}\s*$/.test(part) || port > 65_535) {
      throw usage(`--backends takes ports from 0 to 65535 with commas between them, not "${text}"`, "demo");
    }
    return port;
  });
}

/** How a person reaches a listener from this machine. */
function urlOf(address: Address): string {
  if (address.kind === "unix") return formatAddress(address);
  const everywhere = address.host === null || address.host === "0.0.0.0" || address.host === "::";
  return `http://${formatAddress(everywhere ? { ...address, host: "localhost" } : address)}`;
}

/** Prints a line a second until what it returns is called. */
function showSpread({ plan, counters }: Supervisor): () => void {
  const [listener] = plan.listeners;
  const [pool] = plan.pools;
  const rows = rowsOf(plan, plan.workers).backends[0] ?? [];
  if (listener === undefined || pool === undefined) return () => {};
  const url = urlOf(listener.address);
  console.log(`Weir on ${url}, round robin over ${pool.backends.map(({ id }) => id).join(", ")}`);
  console.log(`Try \`curl ${url}\` a few times. Ctrl-C ends everything.`);
  const names = pool.backends.map(({ id }) => id.replace(/^127\.0\.0\.1/, ""));
  const now = (): number[] => rows.map((row) => counters.total(row, COLUMN.requests));
  let before = now();
  const timer = setInterval(() => {
    const totals = now();
    console.log(spreadLine(new Date(), shares(names, totals, before)));
    before = totals;
  }, 1000);
  return () => clearInterval(timer);
}
