import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startBackends } from "../backends.ts";
import { largePools, largeRoutes, routes } from "../large-configuration.ts";
import { largeOthers, type Reloadable } from "../large-others.ts";
import { percentile } from "../percentile.ts";
import { loadCore, proxyCore, startTool } from "../processes.ts";
import { progress } from "../progress.ts";
import type { Proxy } from "../proxy.ts";
import { forwards, startTarget, type Target } from "../target.ts";
import { aligned, number } from "../text-table.ts";
import type { Trial } from "../trial.ts";
import { weir } from "../weir.ts";
import { type Load, runWrk, warmUpSeconds, wrkVersion } from "../wrk.ts";

const rate = 2000;
/** Until the compiler of the client is done. */
const warmUpMs = 10_000;
/** Until that of the proxy is done with what serves requests: at the steady rate it would be at it while reloads are measured. */
const WARM_UP: Load = { path: "/", connections: 8, seconds: warmUpSeconds, headers: [] };
/** What is compared: the time before a reload, as long from when it was asked for, and as long after that. */
const windowMs = 1000;
const rounds = 5;
/** Load average from which others than the bench are at work; its own is below 2. */
const BUSY = 2.5;
/** So that what one second does to the next is told apart from what a reload does. */
const restMs = 300;
/** A reload that takes longer than this has failed. */
const deadlineMs = 30_000;
/** The client has then still to write down what became of its requests. */
const tellMs = 20_000;

const SETTINGS = { mode: "http", largeBuffers: false, narrowBackends: false } as const;

/** How a configuration differs from the one in force. */
const kinds = [
  { title: "nothing changed", edit: (config: Configuration): Configuration => config },
  { title: "a weight", edit: withWeight },
  { title: "a route and a pool more", edit: withRoute },
  { title: "all 10,000 routes", edit: withTimeouts },
] as const;

interface Configuration {
  readonly listeners: { readonly web: { readonly address: string; readonly routes: readonly object[] } };
  readonly pools: Readonly<Record<string, object>>;
  readonly [key: string]: unknown;
}

interface Reload {
  readonly title: string;
  readonly askedAt: number;
  /** From the signal until it is in force in all workers, loading and all. */
  readonly inForceMs: number;
  /** Of it, what the supervisor needed after loading. */
  readonly applyMs: number;
}

const clientSaid = z.object({
  sentAt: z.array(z.number()),
  took: z.array(z.number()),
  failedAt: z.array(z.number()),
});

type Said = z.infer<typeof clientSaid>;

const NOTHING: Said = { sentAt: [], took: [], failedAt: [] };

/** A row of the table. */
interface Measured {
  readonly title: string;
  readonly reloads: readonly Reload[];
  /** What became of the requests meanwhile. */
  readonly said: Said;
}

/** Latency of requests around reloads of a large configuration: Weir with one worker, and HAProxy and nginx beside it, on two cores of which the load has one too. Takes three minutes. */
export const reload: Trial = {
  name: "reload",
  title: `Reload of ${number(routes, 0)} routes and ${number(routes, 0)} backends at ${number(rate, 0)} requests/s`,
  run,
};

async function run(parent: string): Promise<string> {
  await using backends = await startBackends(parent, false);
  const rows = await ofWeir(parent, backends.ports);
  for (const other of largeOthers) {
    const { proxy } = other;
    const missing = proxy.missing("http");
    rows.push(
      missing === undefined
        ? await ofOther(parent, backends.ports, other)
        : { title: `${proxy.title}: ${missing}`, reloads: [], said: NOTHING },
    );
  }
  return table(rows);
}

async function ofWeir(parent: string, backends: readonly number[]): Promise<Measured[]> {
  const file = join(parent, "reload.json");
  const write = (config: Configuration): Promise<number> => Bun.write(file, JSON.stringify(config, null, 1));
  const log = join(parent, "reload-log");
  const proxy: Proxy = {
    ...weir,
    async command({ port, backends: own }) {
      await write(configuration(port, own));
      // The load has one of them, as it has most of the time.
      return ["sh", "-c", `exec taskset -c ${proxyCore},${loadCore} bin/weir serve ${file} 2>${log}`];
    },
  };
  await using target = await startTarget(proxy, { ...SETTINGS, backends }, parent, forwards);
  const before = configuration(target.port, backends);
  const reloads: Reload[] = [];
  const said = await underLoad(target, async () => {
    for (let round = 0; round < rounds; round++) {
      for (const { title, edit } of kinds) {
        progress(`reload: ${title}, ${round + 1} of ${rounds}`);
        await write(edit(before));
        await Bun.sleep(restMs + windowMs);
        const made = await reloaded(target.process.pid, log);
        reloads.push({ title, ...made });
        await Bun.sleep(2 * windowMs + restMs - (now() - made.askedAt));
        // Back to where it began, which is not measured.
        await write(before);
        await Bun.sleep(restMs);
        await reloaded(target.process.pid, log);
        await Bun.sleep(windowMs);
      }
    }
  });
  return kinds.map(({ title }) => ({ title, reloads: reloads.filter((each) => each.title === title), said }));
}

/** Nothing has changed, and nobody tells when it is in force. */
async function ofOther(parent: string, backends: readonly number[], { proxy, signal }: Reloadable): Promise<Measured> {
  await using target = await startTarget(proxy, { ...SETTINGS, backends }, parent, forwards);
  const title = `${proxy.title}, nothing changed`;
  const reloads: Reload[] = [];
  const said = await underLoad(target, async () => {
    for (let round = 0; round < rounds; round++) {
      progress(`reload: ${title}, ${round + 1} of ${rounds}`);
      await Bun.sleep(restMs + windowMs);
      reloads.push({ title, askedAt: now(), inForceMs: NaN, applyMs: NaN });
      process.kill(target.process.pid, signal);
      await Bun.sleep(2 * windowMs + restMs);
    }
  });
  return { title, reloads, said };
}

/** Does something while requests come at a steady rate. @returns what became of those */
async function underLoad(target: Target, act: () => Promise<void>): Promise<Said> {
  if (wrkVersion() !== undefined) await runWrk(target, WARM_UP);
  const program = join(import.meta.dir, "..", "steady-client.ts");
  const client = startTool([process.execPath, program, String(target.port), String(rate)]);
  try {
    await Bun.sleep(warmUpMs);
    await act();
  } finally {
    progress("");
    await client.stdin.end();
  }
  const text = await within(client.stdout.text(), tellMs, "the client did not say what became of its requests");
  return clientSaid.parse(JSON.parse(text));
}

/** Asks for a reload and waits until it is in force. @throws Error where that takes too long, or it was refused */
async function reloaded(pid: number, log: string): Promise<Omit<Reload, "title">> {
  const seen = (await readFile(log)).length;
  const askedAt = now();
  process.kill(pid, "SIGHUP");
  for (;;) {
    await Bun.sleep(20);
    // Only what is new is looked at: the core is shared with the client.
    const text = (await readFile(log)).subarray(seen).toString();
    const line = outcomeIn(text);
    if (line === null) {
      if (now() - askedAt < deadlineMs) continue;
      throw new Error(`no reload within ${deadlineMs / 1000} s; the log says: ${text.slice(-500) || "nothing"}`);
    }
    const { event, time, tookMs } = line;
    if (event !== "configuration in force") throw new Error(`the reload failed: ${JSON.stringify(line)}`);
    return { askedAt, inForceMs: Date.parse(time) - askedAt, applyMs: tookMs ?? 0 };
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

async function within<T>(promise: Promise<T>, ms: number, otherwise: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(otherwise)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const outcome = z.looseObject({
  event: z.enum(["configuration in force", "configuration refused"]),
  time: z.string(),
  tookMs: z.number().optional(),
});

/** The line that says what became of a reload; `null` while there is none. */
function outcomeIn(text: string): z.infer<typeof outcome> | null {
  for (const line of text.split("\n")) {
    if (!line.startsWith("{") || !line.endsWith("}")) continue;
    const read = outcome.safeParse(JSON.parse(line));
    if (read.success) return read.data;
  }
  return null;
}

function table(measured: readonly Measured[]): string {
  const header = [
    "what changed",
    "in force, ms",
    "of it applying",
    "p99 before, ms",
    "in its second",
    "in the next",
    "ratio",
    "slowest",
    "failed",
  ];
  const load = Math.max(...loadavg());
  const busy = `  others were at work on the machine (load average ${number(load, 1)}): do not believe it`;
  return [
    ...aligned([header, ...measured.map(row)]),
    `  medians of ${rounds}, the slowest request of all, and how many failed in all`,
    ...(load < BUSY ? [] : [busy]),
  ].join("\n");
}

function row({ title, reloads, said: { sentAt, took, failedAt } }: Measured): readonly string[] {
  if (reloads.length === 0) return [title];
  const between = (from: number): readonly number[] =>
    took.filter((_, i) => sentAt[i]! >= from && sentAt[i]! < from + windowMs).toSorted((a, b) => a - b);
  const p99 = (shift: number): number =>
    median(reloads.map(({ askedAt }) => percentile(between(askedAt + shift), 0.99)));
  const [calm, during, after] = [p99(-windowMs), p99(0), p99(windowMs)];
  const worst = Math.max(...reloads.map(({ askedAt }) => between(askedAt).at(-1) ?? NaN));
  const told = (value: number): string => (Number.isNaN(value) ? "" : number(value, 0));
  return [
    title,
    told(median(reloads.map(({ inForceMs }) => inForceMs))),
    told(median(reloads.map(({ applyMs }) => applyMs))),
    number(calm, 2),
    number(during, 2),
    number(after, 2),
    number(during / calm, 2),
    number(worst, 1),
    number(failedAt.length, 0),
  ];
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function configuration(port: number, backends: readonly number[]): Configuration {
  const pools = [...largePools()].map(([name, addresses]) => [
    name,
    { backends: addresses.map((address) => ({ address, weight: 1 })) },
  ]);
  const all = largeRoutes().map(({ host, prefix, pool }) => ({ host, path: `${prefix}*`, pool }));
  return {
    workers: 1,
    admin: "off",
    listeners: { web: { address: `127.0.0.1:${port}`, routes: [...all, { pool: "app" }] } },
    pools: { ...Object.fromEntries(pools), app: { backends: backends.map((each) => `127.0.0.1:${each}`) } },
  };
}

function withWeight(config: Configuration): Configuration {
  const addresses = largePools().get("pool-7") ?? [];
  const backends = addresses.map((address, i) => ({ address, weight: i + 1 }));
  return { ...config, pools: { ...config.pools, "pool-7": { backends } } };
}

function withRoute(config: Configuration): Configuration {
  const { address, routes: before } = config.listeners.web;
  const more = [{ host: "new.example.com", pool: "new" }, ...before];
  return {
    ...config,
    listeners: { web: { address, routes: more } },
    pools: { ...config.pools, new: { backends: ["127.2.0.1:8000"] } },
  };
}

function withTimeouts(config: Configuration): Configuration {
  return { ...config, timeouts: { response: "59s" } };
}
