import { systemClock } from "../clock.ts";
import { formatProblems } from "../config/problems.ts";
import { planFromConfig } from "../config/read.ts";
import type { Config } from "../config/schema.ts";
import type { Plan } from "../plan.ts";
import { createEngine } from "../engine/create.ts";
import type { Engine } from "../engine/engine.ts";
import { sharedStateBytes, sharedStateOver } from "../engine/shared-state.ts";
import { WeirError } from "../errors.ts";
import { formatAddress } from "../address.ts";
import { descriptorLimit } from "../net/descriptors.ts";
import { type Log, silentLog } from "../observe/log.ts";
import { systemRandom } from "../random.ts";
import { withSecrets } from "./affinity-secret.ts";
import { keepHealth } from "./health.ts";
import { together } from "./together.ts";
import { holdSockets } from "./sockets.ts";

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
  /** By the names of the configuration. */
  readonly listeners: Readonly<Record<Names, RunningListener>>;
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
  const loaded = await planFromConfig(config, { file: null });
  if ("problems" in loaded) {
    const { problems } = loaded;
    const text = formatProblems(problems);
    throw new WeirError(
      problems[0]?.code ?? "CONFIG_BAD_VALUE",
      problems.length === 1 ? text : `${problems.length} problems:\n${text}`,
    );
  }
  // The plan has a listener for each name of the configuration.
  return run(loaded.plan, options);
}

async function run(plan: Plan, { log = silentLog }: StartOptions): Promise<Weir> {
  const held = await holdSockets({ ...withSecrets(plan), workers: 1 }, 1);
  const shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(held.plan, 1)), held.plan, 1);
  let engine: Engine;
  try {
    engine = createEngine({
      plan: held.plan,
      worker: 0,
      ...shared,
      log,
      clock: systemClock,
      random: systemRandom(),
      descriptors: descriptorLimit(),
    });
  } catch (error) {
    held.close();
    throw error;
  }
  const listeners: Record<string, RunningListener> = {};
  try {
    const inherited = held.inheritedBy(0);
    for (const [i, { name, address, mode }] of held.plan.listeners.entries()) {
      const from = inherited[i];
      engine.listen(i, from?.kind === "socket" ? from.fd : undefined);
      const text = formatAddress(address);
      listeners[name] = { address: text, port: address.kind === "tcp" ? address.port : 0 };
      log.info("listener bound", { listener: name, address: text, mode });
    }
  } catch (error) {
    engine.close();
    held.removeFiles();
    throw error;
  }
  const health = keepHealth({ plan: held.plan, shared, clock: systemClock, log });
  shared.words.onAlarm = together(() => health.alarmed());
  let closing: Promise<number> | null = null;
  const close = async (): Promise<number> => {
    const drained = engine.drain(plan.shutdownMs);
    held.removeFiles();
    const closed = await drained;
    engine.close();
    health.close();
    return closed;
  };
  return {
    listeners,
    close: () => (closing ??= close()),
    async [Symbol.asyncDispose]() {
      await (closing ??= close());
    },
  };
}
