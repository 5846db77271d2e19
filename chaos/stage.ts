import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "../test/fixtures/temporary-folder.ts";
import { type CallOptions, weir, WEIR, type WeirProcess } from "../test/fixtures/weir-process.ts";
import { BackendProcess } from "./backend-process.ts";
import { Load } from "./load.ts";
import { accepting, freePort } from "./ports.ts";

/** How Weir is set up. */
export interface Setting {
  /** What the pool says beside its backends and `health: tcp`; the rest is as it is by default. */
  readonly pool?: object;
  /** Modules loaded into Weir's processes before it. */
  readonly preload?: string;
  /** Whether its log goes to a disk that is full, and so cannot be read. */
  readonly logsLost?: boolean;
  /** How backends are named, `127.0.0.1` by default; a name is that of the last backend alone. */
  readonly lastHost?: string;
}

/** Weir between clients and four backends, each a process. */
export interface Stage extends AsyncDisposable {
  readonly weir: WeirProcess;
  readonly port: number;
  readonly backends: readonly [BackendProcess, BackendProcess, BackendProcess, BackendProcess];
  readonly load: Load;
}

export const LANES = 24;
const WORKERS = 2;
/** So many right answers before the first fault: the retry budget is a part of the requests that came. */
const WARM = 300;

/** Starts all of it and waits until the load is answered. */
export async function openStage(setting: Setting): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(temporaryFolder());
  const backend = async (): Promise<BackendProcess> => opened.use(await BackendProcess.start());
  const backends = [await backend(), await backend(), await backend(), await backend()] as const;
  // A log that is lost cannot say which port Weir took.
  const port = setting.logsLost === true ? freePort() : 0;
  const running = opened.use(weir(["serve", configuration(folder, port, backends, setting)], callOptions(setting)));
  const bound = setting.logsLost === true ? await accepting(port) : Number((await running.address()).split(":")[1]);
  const load = opened.use(new Load(bound, LANES));
  await load.answered(WARM);
  const rest = opened.move();
  return { weir: running, port: bound, backends, load, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

function configuration(
  folder: TemporaryFolder,
  port: number,
  backends: readonly BackendProcess[],
  { pool, lastHost = "127.0.0.1" }: Setting,
): string {
  const addresses = backends.map((backend, i) => `${i < backends.length - 1 ? "127.0.0.1" : lastHost}:${backend.port}`);
  const file = join(folder.path, "weir.json");
  const config = {
    workers: WORKERS,
    admin: "off",
    listeners: { main: { address: `127.0.0.1:${port}`, pool: "app" } },
    pools: { app: { backends: addresses, health: "tcp", ...pool } },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function callOptions({ preload, logsLost }: Setting): CallOptions {
  return {
    ...(preload === undefined ? {} : { env: { BUN_OPTIONS: `--preload=${preload}` } }),
    ...(logsLost === true ? { command: ["/bin/sh", "-c", 'exec "$0" "$@" 2>/dev/full', WEIR] } : {}),
  };
}
