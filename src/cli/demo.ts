import { DEFAULT_ADMIN } from "../config/schema/defaults.ts";
import type { Problem } from "../config/files/problems.ts";
import { WeirError } from "../errors.ts";
import type { Supervisor } from "../process/supervise/supervisor.ts";
import { type Command, helpText, readArguments, usage } from "./command.ts";
import { type DemoBackend, type DemoBackends, startDemoBackends } from "./demo-backends.ts";
import { demoKeys, keysText, TRAFFIC } from "./demo-keys.ts";
import { dashboardOf, showSpread, urlOf } from "./demo-spread.ts";
import { perform, type Step, stepsOf } from "./demo-steps.ts";
import { startTraffic } from "./demo-traffic.ts";
import { reportError } from "./report.ts";
import { runConfig } from "./run.ts";

export const DEMO: Command<"listen" | "backends" | "workers" | "admin" | "traffic" | "play"> = {
  name: "demo",
  about: "Starts small HTTP backends and Weir in front of them, and shows how requests spread.",
  forms: [["weir demo", "backends on 8001, 8002 and 8003, Weir on 8080, its dashboard on 9900"]],
  positional: null,
  flags: {
    listen: { value: "ADDR", meaning: "where Weir accepts (default :8080)" },
    backends: {
      value: "PORT,PORT,…",
      meaning: "ports of the backends (default 8001,8002,8003); 0 lets the system choose",
    },
    workers: { value: "N|auto", meaning: "worker processes; auto (default) is one per core" },
    admin: { value: "ADDR|off", meaning: `where the dashboard and the admin API listen (default ${DEFAULT_ADMIN})` },
    traffic: {
      value: "N",
      meaning: `requests a second that it sends itself (default ${TRAFFIC} in a terminal, else 0)`,
    },
    play: { value: "STEP,STEP,…", meaning: "what happens when, as in 3s:slow:2,8s:fast:2,10s:stop:1,15s:start:1" },
  },
  notes: ["In a terminal keys make a backend slow, stop it and start it again; the demo says which."],
};

/** Which flag a key of the configuration stands for. */
const FLAG_OF: Readonly<Record<string, string>> = { workers: "--workers", listeners: "--listen", admin: "--admin" };

const MENDS = {
  LISTEN_IN_USE: "Stop that program, or choose another port with --listen, as in --listen :8090.",
  ADMIN_ADDRESS_IN_USE: "Stop that program, or choose another address with --admin, as in --admin 127.0.0.1:9901.",
};

/** `weir demo`: runs until a signal. @returns the exit status */
export async function demo(args: readonly string[]): Promise<number> {
  const { help, flags } = readArguments(DEMO, args);
  if (help) {
    console.log(helpText(DEMO));
    return 0;
  }
  const ports = portsOf(flags.backends[0] ?? "8001,8002,8003");
  const rate = rateOf(flags.traffic[0] ?? (process.stdin.isTTY ? String(TRAFFIC) : "0"));
  const steps = flags.play[0] === undefined ? [] : stepsOf(flags.play[0], ports.length);
  let backends: DemoBackends;
  try {
    backends = await startDemoBackends(ports);
  } catch (error) {
    if (!(error instanceof WeirError)) throw error;
    reportError(error, { LISTEN_IN_USE: "Stop that program, or choose other ports with --backends PORT,PORT,…" });
    return 1;
  }
  try {
    const [workers = "auto"] = flags.workers;
    const config = {
      listeners: { web: { address: flags.listen[0] ?? ":8080", pool: "demo" } },
      pools: {
        demo: {
          // An idle pool is served in turn, and a slow backend soon gets less.
          policy: "least-connections",
          health: {
            probe: { path: "/", interval: "1s", timeout: "500ms", rise: 1, fall: 2 },
            passive: { eject: "2s" }, // one that runs again is soon seen to
          },
          slowStart: "0s",
          backends: backends.ports.map((port) => `127.0.0.1:${port}`),
        },
      },
      workers: /^\d+$/.test(workers) ? Number(workers) : workers,
      admin: flags.admin[0] ?? DEFAULT_ADMIN,
      shutdown: { timeout: "5s" }, // nobody waits for a demo
    };
    const named = (problem: Problem): Problem => ({
      ...problem,
      key: FLAG_OF[problem.key.split(".")[0] ?? ""] ?? problem.key,
    });
    const meanwhile = (supervisor: Supervisor): (() => void) => play(supervisor, backends.backends, rate, steps);
    return await runConfig({ kind: "object", config }, { mends: MENDS, named, meanwhile });
  } finally {
    await backends.stop();
  }
}

function rateOf(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw usage(`--traffic takes requests a second, 0 to 9999, not "${text}"`, "demo");
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

/** Says where everything is, sends traffic and follows keys and steps, until what it returns is called. */
function play(
  supervisor: Supervisor,
  backends: readonly DemoBackend[],
  rate: number,
  steps: readonly Step[],
): () => void {
  const [listener] = supervisor.plan.listeners;
  if (listener === undefined) return () => {};
  const url = urlOf(listener.address);
  const dashboard = dashboardOf(supervisor);
  const keys = process.stdin.isTTY;
  const ids = backends.map(({ port }) => `127.0.0.1:${port}`);
  console.log(`Weir on ${url}, least connections over ${ids.join(", ")}`);
  if (dashboard !== null) console.log(`Dashboard on ${dashboard}, and \`weir top\` in another terminal`);
  console.log(`Try \`curl ${url}\` a few times. ${keys ? keysText(backends.length) : "Ctrl-C ends everything."}`);
  const say = (line: string): void => console.log(`── ${line}`);
  const quiet = showSpread(supervisor);
  const traffic = startTraffic(url, listener.address.kind === "unix" ? 0 : rate);
  const release = keys ? demoKeys(backends, traffic, say) : (): void => {};
  const timers = steps.map(({ atMs, act, backend: number }) =>
    setTimeout(() => {
      const backend = backends[number - 1];
      if (backend === undefined) return;
      const tell = (did: unknown): void => say(`backend ${number} (:${backend.port}) ${String(did)}`);
      void perform(act, backend).then(tell, tell);
    }, atMs),
  );
  return () => {
    for (const timer of timers) clearTimeout(timer);
    release();
    traffic.stop();
    quiet();
  };
}
