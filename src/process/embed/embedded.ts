import type { Change } from "../../config/diff.ts";
import { formatProblems } from "../../config/files/problems.ts";
import { planFromConfig } from "../../config/files/read.ts";
import type { Config } from "../../config/schema/schema.ts";
import type { Plan } from "../../plan.ts";
import { WeirError } from "../../errors.ts";
import { formatAddress } from "../../address.ts";
import { type Log, silentLog } from "../../observe/log.ts";
import { EmbeddedWeir } from "./embedded-weir.ts";

/** How Weir runs inside another program. */
export interface StartOptions {
  /** Where events go; without it nothing is said. */
  readonly log?: Log;
}

/** A listener that accepts. */
export interface RunningListener {
  /** The address in canonical text, with the port that was bound. */
  readonly address: string;
  /** The port bound; 0 for a unix socket. */
  readonly port: number;
}

/** Weir running inside this process. */
export interface Weir<Names extends string = string> extends AsyncDisposable {
  /** By the names of the configuration that it was started with; after a `reload` also those of that one. */
  readonly listeners: Readonly<Record<Names, RunningListener>>;
  /**
   * Puts another configuration in force while Weir runs. What has not changed is not touched: connections, counts and health live on. What is
   * gone finishes what it has, up to `drain.requests` and `drain.tunnels`. `workers`, `user`, `group`, `zone` and `stateFolder` stay as they are. Calls take
   * effect one after another.
   * @returns what differs
   * @throws as `start`; PLAN_TOO_LARGE; NOT_RUNNING after `close`. All is as it was then
   */
  reload(config: Config): Promise<readonly Change[]>;
  /**
   * Takes no new work, finishes what is open up to `shutdown.timeout`, then closes it.
   * @returns how many connections had to be closed; the same answer however often asked
   */
  close(): Promise<number>;
}

/**
 * Runs Weir in this process: one event loop, no other process, no signal handlers. `workers` and `admin` of the
 * configuration play no part.
 * @throws the code of the first problem of the configuration, with all of them in the message; LISTEN_IN_USE,
 * LISTEN_NOT_PERMITTED, LISTEN_FAILED; STATE_UNUSABLE, SECRET_UNSAFE where a pool has affinity and no secret
 */
export async function start<const C extends Config>(
  config: C,
  options: StartOptions = {},
): Promise<Weir<keyof C["listeners"] & string>> {
  // The plan has a listener for each name of the configuration.
  return running(await EmbeddedWeir.start(await planOf(config), options.log ?? silentLog));
}

function running(weir: EmbeddedWeir): Weir {
  return {
    get listeners() {
      return listenersOf(weir.plan);
    },
    reload: (next) => weir.change(planOf(next)),
    close: () => weir.close(),
    async [Symbol.asyncDispose]() {
      await weir.close();
    },
  };
}

async function planOf(config: Config): Promise<Plan> {
  const loaded = await planFromConfig(config, { file: null });
  if (!("problems" in loaded)) return loaded.plan;
  const { problems } = loaded;
  const text = formatProblems(problems);
  throw new WeirError(
    problems[0]?.code ?? "CONFIG_BAD_VALUE",
    problems.length === 1 ? text : `${problems.length} problems:\n${text}`,
  );
}

function listenersOf({ listeners }: Plan): Record<string, RunningListener> {
  return Object.fromEntries(
    listeners.map(({ name, address }) => [
      name,
      { address: formatAddress(address), port: address.kind === "tcp" ? address.port : 0 },
    ]),
  );
}
