import { z } from "zod";
import type { Contest, Course, Entry } from "./contest.ts";
import { OwnProgram } from "./own-program.ts";
import { cpuSeconds } from "./proc.ts";
import { isEnding } from "./processes.ts";
import { progress } from "./progress.ts";
import { answers, startTarget } from "./target.ts";
import type { Tallied } from "./tally.ts";

/** One row as it was measured. */
export interface Finish {
  readonly entry: Entry;
  /** Undefined where the proxy could not be run so. */
  readonly tallied: Tallied | undefined;
}

/** Everything measured in one contest. */
export interface ContestOutcome {
  readonly contest: Contest;
  readonly finishes: readonly Finish[];
  /** How well the machine kept up, as a sentence. */
  readonly strain: string;
  /** What failed, as sentences; and that the machine did not keep up. */
  readonly remarks: readonly string[];
}

/** How late the bench's own programs were (p99), and how busy their core was with the proxies under test. */
interface Strain {
  readonly serviceLateMs: number;
  readonly clientLateMs: number;
  readonly core: number;
}

/** Beyond these the machine has decided and not the proxies. */
const mostLateMs = 5;
const mostOfCore = 0.7;

/** The moments and paths of the requests are the same in every row. */
const seed = 20_261_122;

const ports = z.array(z.number());
const serviceSaid = z.object({ late: z.number() });
const clientSaid = z.object({
  answered: z.number(),
  refused: z.number(),
  late: z.number(),
  broken: z.number(),
  p50: z.number(),
  p99: z.number(),
  byBackend: z.array(z.number()),
  lag: z.number(),
});

/** Measures a contest, a few of the entries side by side. */
export async function runContest(contest: Contest, entries: readonly Entry[], folder: string): Promise<ContestOutcome> {
  const finishes: Finish[] = [];
  const remarks: string[] = [];
  const strains: Strain[] = [];
  let together: Strain[] = [];
  const runOne = async (entry: Entry): Promise<Finish> => {
    try {
      const { tallied, strain } = await runEntry(entry, contest.course, folder);
      together.push(strain);
      return { entry, tallied };
    } catch (error) {
      if (isEnding()) throw error;
      remarks.push(`${entry.title}: ${error instanceof Error ? error.message : String(error)}`);
      return { entry, tallied: undefined };
    }
  };
  for (let first = 0; first < entries.length; first += contest.atOnce) {
    const batch = entries.slice(first, first + contest.atOnce);
    progress(`${contest.name}: ${batch.map(({ title }) => title).join("; ")}`);
    together = [];
    finishes.push(...(await Promise.all(batch.map(runOne))));
    strains.push({ ...worstOf(together), core: together.reduce((sum, { core }) => sum + core, 0) });
  }
  progress("");
  return { contest, finishes, ...judged(strains, remarks) };
}

async function runEntry(
  { proxy }: Entry,
  course: Course,
  folder: string,
): Promise<{ tallied: Tallied; strain: Strain }> {
  const missing = proxy.missing("http");
  if (missing !== undefined) throw new Error(missing);
  using service = new OwnProgram("service.ts", [course.slots, ...course.serviceMs]);
  const backends = ports.parse(JSON.parse(await service.next()));
  await using target = await startTarget(proxy, { mode: "http", largeBuffers: false, backends }, folder, answers);
  const { rate, leadMs, measuredMs, deadlineMs } = course;
  const before = cpuSeconds(target.process.pid).all;
  using client = new OwnProgram("paced-client.ts", [target.port, rate, leadMs, measuredMs, deadlineMs, seed]);
  const { lag, ...tallied } = clientSaid.parse(JSON.parse(await client.next()));
  if (target.process.ended) throw new Error(`it ended under load:\n${target.process.lastWords()}`);
  const core = (cpuSeconds(target.process.pid).all - before) / ((leadMs + measuredMs) / 1000);
  await service.finish();
  const { late } = serviceSaid.parse(JSON.parse(await service.next()));
  return { tallied, strain: { serviceLateMs: late, clientLateMs: lag, core } };
}

function worstOf(strains: readonly Strain[]): Strain {
  return {
    serviceLateMs: Math.max(0, ...strains.map((each) => each.serviceLateMs)),
    clientLateMs: Math.max(0, ...strains.map((each) => each.clientLateMs)),
    core: Math.max(0, ...strains.map((each) => each.core)),
  };
}

function judged(strains: readonly Strain[], remarks: readonly string[]): Pick<ContestOutcome, "strain" | "remarks"> {
  const { serviceLateMs, clientLateMs, core } = worstOf(strains);
  const late = `backends ${serviceLateMs.toFixed(1)} ms late, client ${clientLateMs.toFixed(1)} ms late`;
  const strain = `the machine's own part, p99: ${late}; proxies took at most ${Math.round(core * 100)} % of their core`;
  const tooMuch = Math.max(serviceLateMs, clientLateMs) > mostLateMs || core > mostOfCore;
  return { strain, remarks: tooMuch ? [...remarks, `the machine did not keep up: ${strain}`] : remarks };
}
