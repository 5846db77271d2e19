import { OwnProgram } from "../own-program.ts";
import { memoryBytes } from "../proc.ts";
import type { Mode } from "../proxy.ts";
import type { Goal, Sample, Scenario } from "../scenario.ts";
import type { Target } from "../target.ts";

/** Connections that bring the proxy's code and heap into their working state and are not counted. */
const firstCount = 1000;
/** Connections whose memory is counted. */
const count = 4000;
/** Time for garbage to be collected and memory to be given back. */
const settleMs = 3000;

/** Memory of an idle client connection in HTTP mode. */
export const idle: Scenario = idleScenario("idle", "http", { of: "figure", is: "at most", value: 6 });

/** Memory of an idle pair of connections, client's and backend's, in TCP mode. */
export const idleTcp: Scenario = idleScenario("idle-tcp", "tcp");

function idleScenario(name: string, mode: Mode, goal?: Goal): Scenario {
  const what = mode === "http" ? "HTTP, idle client connections" : "TCP mode, idle pairs (client and backend)";
  const label = mode === "http" ? "memory per idle connection, KB" : "memory per idle pair, KB";
  return {
    name,
    title: `${what}, each after one request, ${count} counted`,
    mode,
    largeBuffers: false,
    needsWrk: false,
    mostRounds: 1,
    warmUp: null,
    figures: [{ key: "memory", label, digits: 1, better: "lower", ...(goal === undefined ? {} : { goal }) }],
    measure,
  };
}

async function measure({ port, process: { pid } }: Target): Promise<Sample> {
  using first = await open(port, firstCount);
  const before = memoryBytes(pid, "Anonymous", "all");
  using counted = await open(port, count);
  const after = memoryBytes(pid, "Anonymous", "all");
  const lost = firstCount + count - (await close(counted)) - (await close(first));
  return {
    figures: { memory: (after - before) / count / 1000 },
    errors: lost > 0 ? [`${lost} connections were closed meanwhile`] : [],
  };
}

async function open(port: number, connections: number): Promise<OwnProgram> {
  const client = new OwnProgram("idle-client.ts", [port, connections]);
  await client.next();
  await Bun.sleep(settleMs);
  return client;
}

/** Returns how many of its connections were still open. */
async function close(client: OwnProgram): Promise<number> {
  await client.finish();
  return Number(await client.next());
}
