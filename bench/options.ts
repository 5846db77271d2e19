import { parseArgs } from "node:util";
import { proxyNames, type ProxyName } from "./proxy.ts";

/** What the command line asks for. */
export interface Options {
  readonly scenarios: readonly string[];
  readonly rounds: number;
  /** How long each measurement of each proxy lasts in one round. */
  readonly seconds: number;
  readonly only: readonly ProxyName[];
  readonly json: string | undefined;
  /** Requests a second at which p99 is taken, the same for every proxy. */
  readonly rate: number;
}

/** The text that `--help` prints. */
export const usage = `npm run bench -- [scenario…] [--rounds N] [--seconds N] [--rate N] [--only weir,haproxy,nginx,node] [--json FILE]

  --rounds N    rounds, each with a new process of every proxy in turn (default 5); figures are medians over them;
                memory, the same in every process, has one, and Node, there for scale, at most two
  --seconds N   length of one measurement (default 2)
  --rate N      requests a second at which p99 is taken (default 5000)
  --only NAMES  compare only these proxies
  --json FILE   also write every round's figures to FILE

"overload" and "slow" are decided by waiting, not by processor time: they have one round of their own length.`;

/** Reads the arguments; throws an Error fit for the terminal when one is wrong. */
export function readOptions(args: readonly string[], known: readonly string[]): Options | "help" {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      rate: { type: "string", default: "5000" },
      only: { type: "string" },
      json: { type: "string" },
    },
  });
  if (values.help === true) return "help";
  for (const name of positionals) {
    if (!known.includes(name)) throw new Error(`no scenario "${name}"; there are: ${known.join(", ")}`);
  }
  return {
    scenarios: positionals.length > 0 ? known.filter((name) => positionals.includes(name)) : known,
    rounds: positive("rounds", values.rounds),
    seconds: positive("seconds", values.seconds),
    rate: positive("rate", values.rate),
    only: readNames(values.only),
    json: values.json,
  };
}

function readNames(text: string | undefined): readonly ProxyName[] {
  if (text === undefined) return proxyNames;
  const wanted = text.split(",").map((name) => name.trim());
  for (const name of wanted) {
    if (!proxyNames.some((known) => known === name)) {
      throw new Error(`no proxy "${name}"; there are: ${proxyNames.join(", ")}`);
    }
  }
  return proxyNames.filter((name) => wanted.includes(name));
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1, not "${text}"`);
  return value;
}
