import { configViewSchema, type ConfigView, type Status, statusSchema } from "../admin/model.ts";
import { readableAge, readableCount, readableMs } from "../admin/readable.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { paint, print } from "./admin/output.ts";
import { columns } from "./admin/table.ts";
import { type Command, helpText, readArguments } from "./command.ts";

export const STATUS: Command<AdminFlag> = {
  name: "status",
  about: "Says how it stands with the running Weir.",
  forms: [["weir status", "the Weir at the usual address"]],
  positional: null,
  flags: ADMIN_FLAGS,
  notes: [STATUSES],
};

/** `weir status`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function status(args: readonly string[]): Promise<number> {
  const given = readArguments(STATUS, args);
  if (given.help) {
    console.log(helpText(STATUS));
    return 0;
  }
  const client = clientOf(given);
  const [answer, config] = await Promise.all([
    client.get("/v1/status", statusSchema),
    client.get("/v1/config", configViewSchema),
  ]);
  print(given.flags.json.length > 0, { ...answer, editsMade: config.edits }, () => statusText(answer, config));
  return 0;
}

function statusText(answer: Status, { edits }: ConfigView): string {
  const { version, pid, phase, generation, configFile, upMs, backends, rates, totals, workers, inFlight } = answer;
  const { latency } = rates;
  const colour = phase === "running" ? "green" : "yellow";
  const rows: [string, string][] = [
    ["state", `${paint(colour, phase)} for ${readableAge(upMs)}, Weir ${version}, process ${pid}`],
    ["configuration", `${configFile ?? "by flags"}, generation ${generation}`],
    ["listeners", String(answer.listeners)],
    [
      "backends",
      `${backends.up} of ${backends.total} take work, in ${answer.pools} ${answer.pools === 1 ? "pool" : "pools"}`,
    ],
    ["in flight", readableCount(inFlight)],
    [
      "of late",
      `${readableCount(rates.requestsPerSecond)} requests/s, ${readableCount(rates.failuresPerSecond)} failures/s, ` +
        `p50 ${readableMs(latency.p50Ms)}, p99 ${readableMs(latency.p99Ms)}`,
    ],
    ["since start", `${readableCount(totals.requests)} requests, ${readableCount(totals.failures)} failures`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, text]) => `${paint("bold", name.padEnd(width))}  ${text}`);
  lines.push("", columns(["WORKER", "PROCESS", "STATE", "DEATHS", "LEAVING"], workers.map(workerRow)));
  if (edits.length > 0) lines.push("", paint("bold", "Run-time edits"), ...edits.map(editLine));
  return lines.join("\n");
}

function workerRow({
  worker,
  pid,
  state,
  deaths,
  leavingPid,
}: Status["workers"][number]): Parameters<typeof columns>[1][number] {
  return [
    { text: String(worker), right: true },
    { text: pid === null ? "–" : String(pid), right: true },
    { text: state, colour: state === "running" ? "green" : "yellow" },
    { text: String(deaths), right: true },
    { text: leavingPid === null ? "–" : String(leavingPid), right: true },
  ];
}

function editLine({ text, persist, applies }: ConfigView["edits"][number]): string {
  const how = persist ? "kept over restarts" : "until the next start";
  return `  ${text} (${how})${applies ? "" : paint("yellow", ", of no effect: it is not in the configuration any more")}`;
}
