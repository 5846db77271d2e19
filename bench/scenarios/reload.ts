import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startBackends } from "../backends.ts";
import { percentile } from "../percentile.ts";
import { loadCore, proxyCore, startTool } from "../processes.ts";
import { progress } from "../progress.ts";
import type { Proxy } from "../proxy.ts";
import { forwards, startTarget } from "../target.ts";
import { aligned, number } from "../text-table.ts";
import type { Trial } from "../trial.ts";
import { weir } from "../weir.ts";

/** Of a configuration: so many routes to pools of ten backends. */
const routes = 10_000;
const backendsOfPool = 10;
const rate = 2000;
const warmUpMs = 3000;
/** What is compared: the time before a reload, as long from when it was asked for, and as long after that. */
const windowMs = 1000;
const rounds = 3;
/** Load average from which others than the bench are at work; its own is below 2. */
const BUSY = 2.5;
/** So that what one second does to the next is told apart from what a reload does. */
const restMs = 300;
/** A reload that takes longer than this has failed. */
const deadlineMs = 30_000;
/** The client has then still to write down what became of its requests. */
const tellMs = 20_000;

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

/** Latency of requests around reloads of a large configuration: Weir alone, with one worker, on two cores of which the load has one too. Takes a minute. */
export const reload: Trial = {
  name: "reload",
  title: `Reload of ${number(routes, 0)} routes and ${number(routes, 0)} backends at ${number(rate, 0)} requests/s`,
  run,
};

async function run(parent: string): Promise<string> {
  await using backends = await startBackends(parent, false);
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
  const settings = { mode: "http", backends: backends.ports, largeBuffers: false, narrowBackends: false } as const;
  await using target = await startTarget(proxy, settings, parent, forwards);
  const before = configuration(target.port, backends.ports);
  const program = join(import.meta.dir, "..", "steady-client.ts");
  const client = startTool([process.execPath, program, String(target.port), String(rate)]);
  const reloads: Reload[] = [];
  try {
    await Bun.sleep(warmUpMs);
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
      }
    }
  } finally {
    progress("");
    await client.stdin.end();
  }
  const text = await within(client.stdout.text(), tellMs, "the client did not say what became of its requests");
  const said = clientSaid.parse(JSON.parse(text));

  return table(reloads, said);
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

function table(reloads: readonly Reload[], { sentAt, took, failedAt }: z.infer<typeof clientSaid>): string {
  const between = (from: number): readonly number[] =>
    took.filter((_, i) => sentAt[i]! >= from && sentAt[i]! < from + windowMs).toSorted((a, b) => a - b);
  const rows = kinds.map(({ title }) => {
    const own = reloads.filter((each) => each.title === title);
    const p99 = (shift: number): number => median(own.map(({ askedAt }) => percentile(between(askedAt + shift), 0.99)));
    const [calm, during, after] = [p99(-windowMs), p99(0), p99(windowMs)];
    const worst = Math.max(...own.map(({ askedAt }) => between(askedAt).at(-1) ?? NaN));
    const inForce = median(own.map(({ inForceMs }) => inForceMs));
    const apply = median(own.map(({ applyMs }) => applyMs));
    return [
      title,
      number(inForce, 0),
      number(apply, 0),
      number(calm, 2),
      number(during, 2),
      number(after, 2),
      number(during / calm, 2),
      number(worst, 1),
    ];
  });
  const header = [
    "what changed",
    "in force, ms",
    "of it applying",
    "p99 before, ms",
    "in its second",
    "in the next",
    "ratio",
    "slowest",
  ];
  const load = Math.max(...loadavg());
  const busy = `  others were at work on the machine (load average ${number(load, 1)}): do not believe it`;
  return [
    ...aligned([header, ...rows]),
    `  medians of ${rounds}, the slowest request of all; ${took.length} requests answered, ${failedAt.length} failed`,
    ...(load < BUSY ? [] : [busy]),
  ].join("\n");
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function configuration(port: number, backends: readonly number[]): Configuration {
  const pools = Object.fromEntries(
    Array.from({ length: routes / backendsOfPool }, (_, pool) => {
      const own = Array.from({ length: backendsOfPool }, (_each, i) => `127.1.${pool >> 8}.${pool & 255}:${8000 + i}`);
      return [`pool-${pool}`, { backends: own.map((address) => ({ address, weight: 1 })) }];
    }),
  );
  const all = Array.from({ length: routes }, (_, i) => ({
    host: `host-${i}.example.com`,
    path: `/v${i % 7}/*`,
    pool: `pool-${i % (routes / backendsOfPool)}`,
  }));
  return {
    workers: 1,
    admin: "off",
    listeners: { web: { address: `127.0.0.1:${port}`, routes: [...all, { pool: "app" }] } },
    pools: { ...pools, app: { backends: backends.map((each) => `127.0.0.1:${each}`) } },
  };
}

function withWeight(config: Configuration): Configuration {
  const backends = Array.from({ length: backendsOfPool }, (_, i) => ({
    address: `127.1.0.7:${8000 + i}`,
    weight: i + 1,
  }));
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
