import { systemClock } from "../clock.ts";
import { createEngine } from "../engine/create.ts";
import type { Engine } from "../engine/engine.ts";
import { sharedStateOver } from "../engine/shared-state.ts";
import { WeirError } from "../errors.ts";
import { descriptorLimit } from "../net/descriptors.ts";
import type { Log } from "../observe/log.ts";
import { flushLog, stderrLog } from "../observe/stderr-log.ts";
import { systemRandom } from "../random.ts";
import { assertIdentity } from "./identity.ts";
import { type FromWorker, type ToWorker, toWorker } from "./messages.ts";
import { together } from "./together.ts";
import { mapSharedMemory } from "./shared-memory.ts";

/** A worker that ended by an error of its own; distinct from what a signal or the system gives. */
const FAILED = 70;

/**
 * The life of a worker process: it is told its plan by the supervisor, runs an engine, and ends when told to or when the
 * supervisor is gone. Returns at once; messages drive it.
 * @throws CLI_USAGE when no supervisor started this process
 */
export function runWorker(): void {
  if (process.send === undefined) throw new WeirError("CLI_USAGE", "`worker` is started by `weir serve` itself");
  let log = stderrLog();
  let engine: Engine | null = null;

  const internal = (error: unknown): void => {
    log.error("worker failed", { code: "WEIR_INTERNAL", error: String(error), stack: stackOf(error) });
    void end(FAILED);
  };
  process.on("uncaughtException", internal);
  process.on("unhandledRejection", internal);
  // The terminal sends Ctrl-C to all processes; what it means is the supervisor's decision.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", () => process.exit(FAILED));

  process.on("message", (raw: unknown) => {
    const message = toWorker(raw);
    switch (message?.kind) {
      case "configure":
        log = stderrLog({ worker: message.worker });
        try {
          engine = begin(message, log);
          void send({ kind: "ready" });
        } catch (error) {
          const known =
            error instanceof WeirError ? error : new WeirError("WEIR_INTERNAL", stackOf(error) ?? "", error);
          void send({ kind: "failed", code: known.code, detail: known.detail }).then(() => end(FAILED));
        }
        break;
      case "drain":
        void (engine?.drain(message.timeoutMs) ?? Promise.resolve(0))
          .then((closed) => send({ kind: "drained", closed }))
          .then(() => end(0), internal);
        break;
      case undefined:
        internal(new Error(`message not understood: ${kindOf(raw)}`));
    }
  });
}

function begin(message: ToWorker & { kind: "configure" }, log: Log): Engine {
  const { plan, worker, workers, countersFd, identity, listeners } = message;
  if (identity !== null) assertIdentity(identity);
  const shared = sharedStateOver(mapSharedMemory(countersFd), plan, workers);
  shared.words.onAlarm = together(() => void send({ kind: "alarm" }));
  const engine = createEngine({
    plan,
    worker,
    ...shared,
    log,
    clock: systemClock,
    random: systemRandom(),
    descriptors: descriptorLimit(),
  });
  listeners.forEach((inherited, listener) => {
    switch (inherited.kind) {
      case "socket":
        engine.listen(listener, inherited.fd);
        break;
      case "own":
        engine.listen(listener, undefined, true);
        break;
      case "none":
        break;
    }
  });
  return engine;
}

/** Fulfilled when the message has been handed over, or cannot be. */
function send(message: FromWorker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.send?.(message, undefined, undefined, () => resolve());
  return promise;
}

async function end(status: number): Promise<void> {
  await flushLog();
  process.exit(status);
}

/** What a message is, and no more of it: a plan holds secrets, which no log is to show. */
function kindOf(message: unknown): string {
  const kind: unknown = typeof message === "object" && message !== null && "kind" in message ? message.kind : null;
  return typeof kind === "string" ? kind : typeof message;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
