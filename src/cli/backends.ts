import { z } from "zod";
import { type BackendState, type PoolView, poolSchema } from "../admin/model.ts";
import { readableAge, readableCount, readableMs, readableShare } from "../admin/readable.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { print } from "./admin/output.ts";
import { type Cell, columns, terminalWidth } from "./admin/table.ts";
import { type Command, helpText, readArguments } from "./command.ts";

export const BACKENDS: Command<AdminFlag | "names"> = {
  name: "backends",
  about: "Shows the backends of the running Weir: state, why, load and latency.",
  forms: [
    ["weir backends", "of all pools"],
    ["weir backends POOL", "of one"],
  ],
  positional: "POOL",
  flags: { ...ADMIN_FLAGS, names: { value: null, meaning: "only POOL/BACKEND, a line each" } },
  notes: ["Rates and latencies are of the last 5 to 10 seconds.", STATUSES],
};

/** `weir backends [POOL]`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function backends(args: readonly string[]): Promise<number> {
  const given = readArguments(BACKENDS, args);
  if (given.help) {
    console.log(helpText(BACKENDS));
    return 0;
  }
  const client = clientOf(given);
  const { positional, flags } = given;
  const pools =
    positional === null
      ? (await client.get("/v1/pools", z.object({ pools: z.array(poolSchema) }))).pools
      : [await client.get(`/v1/pools/${encodeURIComponent(positional)}`, poolSchema)];
  if (flags.names.length > 0) {
    const names = pools.flatMap(({ name, backends: all }) => all.map(({ id }) => `${name}/${id}`));
    if (names.length > 0) console.log(names.join("\n"));
    return 0;
  }
  print(flags.json.length > 0, pools, backendsText);
  return 0;
}

const COLOURS: Readonly<Record<BackendState, NonNullable<Cell["colour"]>>> = {
  up: "green",
  starting: "cyan",
  ramp: "cyan",
  drain: "yellow",
  maintenance: "yellow",
  ejected: "red",
  down: "red",
};

/** What a narrow terminal does without, the first one first. */
const LEAVE = ["P50", "SHARE", "WEIGHT", "SINCE", "REQ/S", "IN FLIGHT", "P99"];

function backendsText(pools: readonly PoolView[]): string {
  const now = Date.now();
  const rows = pools.flatMap(({ name, backends: all }) =>
    all.map(({ id, state, why, since, weight, share, inFlight, rates }): (string | Cell)[] => [
      `${name}/${id}`,
      { text: state, colour: COLOURS[state] },
      { text: since === null ? "–" : readableAge(now - Date.parse(since)), right: true },
      { text: String(weight), right: true },
      { text: readableShare(share), right: true },
      { text: readableCount(inFlight), right: true },
      { text: readableCount(rates.requestsPerSecond), right: true },
      { text: readableMs(rates.latency.p50Ms), right: true },
      { text: readableMs(rates.latency.p99Ms), right: true },
      why,
    ]),
  );
  const head = ["BACKEND", "STATE", "SINCE", "WEIGHT", "SHARE", "IN FLIGHT", "REQ/S", "P50", "P99", "WHY"];
  const panic = pools
    .filter((pool) => pool.panic)
    .map(({ name }) => `pool ${name} panics: too few of its backends are healthy, so all get work`);
  return [columns(head, rows, { width: terminalWidth(), leave: LEAVE }), ...panic].join("\n");
}
