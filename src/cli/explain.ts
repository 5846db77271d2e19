import { isIPv4, isIPv6 } from "../address.ts";
import { explanationSchema } from "../admin/model-explain.ts";
import { load } from "../config/files/load.ts";
import type { Explanation, Question } from "../engine/explanation.ts";
import { explainOffline } from "../process/explain-offline.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { print } from "./admin/output.ts";
import { type Command, type Given, helpText, readArguments, usage } from "./command.ts";
import { explanationText } from "./explain-text.ts";
import { reportProblems } from "./report.ts";

type ExplainFlag = AdminFlag | "header" | "from" | "listener" | "config" | "worker";

export const EXPLAIN: Command<ExplainFlag> = {
  name: "explain",
  about:
    "Says where a request would go, and why: its listener, route and pool, and what the policy makes of each backend.",
  forms: [
    ["weir explain [METHOD] URL", "asks the Weir that runs; GET where no method is given"],
    ["weir explain [METHOD] URL --config FILE", "asks a configuration file, and nothing need run"],
    ["weir explain tcp://ADDR", "for a TCP connection"],
  ],
  positional: "METHOD",
  further: ["URL"],
  flags: {
    header: { value: "'NAME: VALUE'", many: true, meaning: "a field of the request" },
    from: { value: "IP", meaning: "address of the client (default 127.0.0.1)" },
    listener: { value: "NAME", meaning: "the listener that it comes to (default: the one on the port of the URL)" },
    config: { value: "FILE", meaning: "asks this configuration, as a Weir would answer that has just started with it" },
    worker: { value: "N", meaning: "the worker to ask: latencies are its own (default 0)" },
    ...ADMIN_FLAGS,
  },
  notes: ["Asking changes nothing: no cursor moves, no dice are thrown.", "", STATUSES],
};

/**
 * `weir explain [METHOD] URL`: prints where a request would go and why.
 * @param args what follows `explain` on the command line
 * @returns the exit status: 0 where it was explained, whatever becomes of the request; 1 where the configuration is wrong
 * @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says
 */
export async function explain(args: readonly string[]): Promise<number> {
  const given = readArguments(EXPLAIN, args);
  if (given.help) {
    console.log(helpText(EXPLAIN));
    return 0;
  }
  const question = questionOf(given);
  const answer =
    given.flags.config[0] === undefined
      ? await askRunning(given, question)
      : await askFile(given.flags.config[0], question);
  if (answer === null) return 1;
  print(given.flags.json.length > 0, answer.explained, (explained) => explanationText(explained, answer.asked));
  return 0;
}

interface Answer {
  readonly explained: Explanation;
  /** Who answered. */
  readonly asked: string;
}

async function askRunning(given: Given<ExplainFlag>, question: Question): Promise<Answer> {
  const text = given.flags.worker[0] ?? "0";
  if (!/^\d{1,4}$/.test(text)) throw usage(`--worker is the number of a worker, from 0, not "${text}"`, "explain");
  const body = { ...question, worker: Number(text) };
  const explained = await clientOf(given).send("POST", "/v1/explain", explanationSchema, body);
  return { explained, asked: `worker ${text}` };
}

async function askFile(file: string, question: Question): Promise<Answer | null> {
  const loaded = await load(file);
  if ("plan" in loaded)
    return { explained: explainOffline(loaded.plan, question), asked: `${file}, as if just started` };
  reportProblems(loaded.problems, "`weir check --all`");
  return null;
}

function questionOf({ positional, further, flags }: Given<ExplainFlag>): Question {
  const [url] = further;
  if (positional === null) throw usage("which request? Name a URL", "explain");
  const from = flags.from[0] ?? "127.0.0.1";
  if (!isIPv4(from) && !isIPv6(from))
    throw usage(`--from is the address of a client, and "${from}" is none`, "explain");
  return {
    method: url === undefined ? "GET" : positional.toUpperCase(),
    url: url ?? positional,
    headers: flags.header.map(fieldOf),
    from,
    listener: flags.listener[0] ?? null,
  };
}

function fieldOf(text: string): readonly [string, string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw usage(`"${text}" is no field; use --header 'NAME: VALUE'`, "explain");
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
