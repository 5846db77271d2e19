// Compares Weir with HAProxy, nginx and a Node proxy on this machine, in turns within one run.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackends } from "./backends.ts";
import type { Contest } from "./contest.ts";
import { runContest, type ContestOutcome } from "./contest-run.ts";
import { contestMarkdown, contestTable } from "./contest-table.ts";
import { haproxy } from "./haproxy.ts";
import { nginxInstall, nginxProgram } from "./nginx-program.ts";
import { nginx } from "./nginx.ts";
import { nodeProxy } from "./node-proxy.ts";
import { readOptions, usage, type Options } from "./options.ts";
import { endAll } from "./processes.ts";
import { findProgram } from "./programs.ts";
import type { Proxy } from "./proxy.ts";
import { runScenario, type Outcome } from "./rounds.ts";
import type { Scenario } from "./scenario.ts";
import { idle, idleTcp } from "./scenarios/idle.ts";
import { large, largeTuned } from "./scenarios/large.ts";
import { overload } from "./scenarios/overload.ts";
import { readers } from "./scenarios/readers.ts";
import { reload } from "./scenarios/reload.ts";
import { rss } from "./scenarios/rss.ts";
import { slow } from "./scenarios/slow.ts";
import { connect, http, httpLog, tcp } from "./scenarios/small.ts";
import { markdownTable, scenarioTable } from "./table.ts";
import type { Trial } from "./trial.ts";
import { weir } from "./weir.ts";
import { wrkInstall, wrkVersion } from "./wrk.ts";

const scenarios: readonly Scenario[] = [http, httpLog, tcp, connect, large, largeTuned, idle, idleTcp, rss, readers];
const contests: readonly Contest[] = [overload, slow];
const trials: readonly Trial[] = [reload];
const allProxies: readonly Proxy[] = [weir, haproxy, nginx, nodeProxy];

/** The exit status after Ctrl-C, as shells give it. */
const interruptedStatus = 130;
let interrupted = false;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(
      args,
      [...scenarios, ...contests, ...trials].map(({ name }) => name),
    );
    if (options === "help") {
      console.log(usage);
      return 0;
    }
    const stop = whyImpossible();
    if (stop !== undefined) throw new Error(stop);
    await compare(options, args);
    return 0;
  } catch (error) {
    if (interrupted) return interruptedStatus;
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function compare(options: Options, args: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-bench-"));
  const cleanUp = async (): Promise<void> => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      interrupted = true;
      void cleanUp().then(() => process.exit(interruptedStatus));
    });
  }
  try {
    const proxies = allProxies.filter((proxy) => options.only.includes(proxy.name));
    const outcomes = await runScenarios(proxies, folder, options);
    const contested: ContestOutcome[] = [];
    for (const contest of contests.filter(({ name }) => options.scenarios.includes(name))) {
      const entries = contest.entries.filter(({ proxy }) => options.only.includes(proxy.name));
      const outcome = await runContest(contest, entries, folder);
      contested.push(outcome);
      console.log(contestTable(outcome));
    }
    for (const trial of trials.filter(({ name }) => options.scenarios.includes(name)))
      console.log(`\n${trial.title}\n${await trial.run(folder)}\n`);
    console.log(`${caption(proxies, args)}\n`);
    if (outcomes.length > 0)
      console.log(`${scenariosNote(options)}\n\n${markdownTable(outcomes, proxies, options.rate)}\n`);
    for (const outcome of contested) console.log(`${contestMarkdown(outcome)}\n`);
    if (options.json !== undefined) await writeJson(options.json, outcomes, contested, options);
  } finally {
    await cleanUp();
  }
}

async function runScenarios(proxies: readonly Proxy[], folder: string, options: Options): Promise<readonly Outcome[]> {
  const wanted = chosen(options);
  const outcomes: Outcome[] = [];
  if (wanted.length === 0) return outcomes;
  await using backends = await startBackends(folder, false);
  await using narrow = await startBackends(folder, true);
  for (const scenario of wanted) {
    const { ports } = scenario.narrowBackends === true ? narrow : backends;
    const outcome = await runScenario(scenario, proxies, ports, folder, options);
    outcomes.push(outcome);
    console.log(scenarioTable(outcome, proxies));
  }
  return outcomes;
}

function chosen(options: Options): readonly Scenario[] {
  const wanted = scenarios.filter((scenario) => options.scenarios.includes(scenario.name));
  const possible = wanted.filter((scenario) => !scenario.needsWrk || wrkVersion() !== undefined);
  const left = wanted.filter((scenario) => !possible.includes(scenario)).map((scenario) => scenario.name);
  if (left.length > 0) console.log(`${wrkInstall}; left out: ${left.join(", ")}\n`);
  return possible;
}

function whyImpossible(): string | undefined {
  if (process.platform !== "linux") return "needs Linux (processor time and memory are read from /proc)";
  if (navigator.hardwareConcurrency < 2) return "needs two cores: one for the proxy, one for load and backends";
  if (findProgram("taskset") === undefined) return "taskset is not installed (Debian: apt-get install util-linux)";
  if (nginxProgram() === undefined) return `${nginxInstall}; it also serves as the backends`;
  return undefined;
}

function caption(proxies: readonly Proxy[], args: readonly string[]): string {
  const programs = proxies
    .filter((proxy) => proxy.missing("http") === undefined)
    .map((proxy) => `${proxy.title} ${proxy.version()}`);
  const tools = [...programs, `Bun ${Bun.version}`, `wrk ${wrkVersion() ?? "not installed"}`];
  const command = ["npm run bench", ...(args.length > 0 ? ["--", ...args] : [])].join(" ");
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, \`${command}\`: ${tools.join("; ")}. Each proxy has one worker on one core; load and backends have another.`;
}

function scenariosNote({ rounds, seconds }: Options): string {
  return `Medians of ${rounds} rounds of ${seconds} s (Node at most 2, memory 1), each with a new process.`;
}

async function writeJson(
  file: string,
  outcomes: readonly Outcome[],
  contested: readonly ContestOutcome[],
  { rounds, seconds, rate }: Options,
): Promise<void> {
  const content = {
    date: new Date().toISOString(),
    rounds,
    seconds,
    rate,
    scenarios: outcomes.map(({ scenario, samples, remarks }) => ({
      scenario: scenario.name,
      rounds: Object.fromEntries(samples),
      remarks,
    })),
    contests: contested.map(({ contest: { name, course }, finishes, strain, remarks }) => ({
      contest: name,
      course,
      rows: finishes.map(({ entry, tallied }) => ({ title: entry.title, ...tallied })),
      strain,
      remarks,
    })),
  };
  await Bun.write(file, `${JSON.stringify(content, null, 2)}\n`);
}
