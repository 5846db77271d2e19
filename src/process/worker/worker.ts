import { systemClock } from "../../clock.ts";
import { createEngine } from "../../engine/create.ts";
import type { Engine } from "../../engine/engine.ts";
import { sharedStateOver } from "../../engine/shared-state.ts";
import { WeirError } from "../../errors.ts";
import { addressOfSocket } from "../../net/bind.ts";
import { descriptorLimit } from "../../net/descriptors.ts";
import { listenOnAll } from "../../net/listen-on-all.ts";
import { systemNetwork } from "../../net/network.ts";
import type { Log } from "../../observe/log.ts";
import { limitedLog } from "../../observe/limited-log.ts";
import { flushLog, stderrLog } from "../../observe/stderr-log.ts";
import type { Plan } from "../../plan.ts";
import { systemRandom } from "../../random.ts";
import { assertIdentity } from "../identity.ts";
import { type FromWorker, type Inherited, type ToWorker, toWorker } from "../messages.ts";
import { NextPlan } from "./next-plan.ts";
import { PlanStore } from "../parts/plan-store.ts";
import { QUESTIONS } from "./questions/registry.ts";
import { mapSharedMemory } from "../shared-memory.ts";
import { together } from "./together.ts";
import { told } from "./told-log.ts";

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
  let next: NextPlan | null = null;
  const store = new PlanStore();

  const internal = (error: unknown): void => {
    log.error("worker failed", { code: "WEIR_INTERNAL", error: String(error), stack: stackOf(error) });
    void end(FAILED);
  };
  process.on("uncaughtException", internal);
  process.on("unhandledRejection", internal);
  // The terminal sends Ctrl-C to all processes; what it means is the supervisor's decision.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const) process.on(signal, () => {});
  // The supervisor passes it on; whoever rotates logs may tell all processes at once.
  process.on("SIGUSR1", () => engine?.reopenLogs());
  process.on("disconnect", () => process.exit(FAILED));

  process.on("message", (raw: unknown) => {
    const message = toWorker(raw);
    switch (message?.kind) {
      case "parts":
        void answered(message.id, () => {
          for (const [id, content] of message.parts) store.add(id, content);
        });
        break;
      case "configure":
        log = limitedLog(
          told(
            stderrLog({ worker: message.worker }),
            (level, event, fields) => void send({ kind: "event", level, event, fields }),
          ),
          systemClock,
        );
        try {
          const plan = store.plan(message.manifest, null);
          engine = begin(message, plan, log);
          const { manifest, placement } = message;
          next = new NextPlan(engine, store, { plan, manifest, placement }, message.worker, message.channelFd);
          void send({ kind: "ready" });
        } catch (error) {
          void send({ kind: "failed", ...known(error) }).then(() => end(FAILED));
        }
        break;
      case "prepare":
        void answered(message.id, () => running(next).prepare(message));
        break;
      case "commit":
        void answered(message.id, () => running(next).commit());
        break;
      case "forget":
        for (const id of message.parts) store.forget(id);
        break;
      case "abandon":
        next?.abandon();
        break;
      case "ask":
        void answered(message.id, () => {
          const question = QUESTIONS.get(message.question);
          if (question === undefined) throw new WeirError("WEIR_INTERNAL", `no question ${message.question}`);
          return question.answer(running(engine), message.argument);
        });
        break;
      case "drain":
        next?.end();
        void (engine?.drain(message.timeoutMs) ?? Promise.resolve(0))
          .then((closed) => send({ kind: "drained", closed }))
          .then(() => end(0), internal);
        break;
      case undefined:
        internal(new Error(`message not understood: ${kindOf(raw)}`));
    }
  });
}

function running<T>(what: T | null): T {
  if (what === null) throw new WeirError("NOT_RUNNING", "the worker is still starting");
  return what;
}

/** Does what was asked, and says what came of it. */
async function answered(id: number, act: () => unknown): Promise<void> {
  let message: FromWorker;
  try {
    message = { kind: "answer", id, answer: (await act()) ?? null };
  } catch (error) {
    message = { kind: "refusal", id, ...known(error) };
  }
  await send(message);
}

function known(error: unknown): { readonly code: WeirError["code"]; readonly detail: string } {
  if (error instanceof WeirError) return { code: error.code, detail: error.detail };
  return { code: "WEIR_INTERNAL", detail: stackOf(error) ?? String(error) };
}

function begin(message: ToWorker & { kind: "configure" }, plan: Plan, log: Log): Engine {
  const { placement, worker, workers, section, countersFd, identity, listeners } = message;
  if (identity !== null) assertIdentity(identity);
  const shared = sharedStateOver(mapSharedMemory(countersFd), placement.shape);
  shared.words.onAlarm = together(() => void send({ kind: "alarm" }));
  const own = listeners.slice(0, plan.listeners.length);
  const beside = besides(own, listeners.slice(plan.listeners.length));
  const engine = createEngine({
    plan,
    placement,
    worker,
    workers,
    section,
    ...shared,
    log,
    clock: systemClock,
    random: systemRandom(),
    descriptors: descriptorLimit(),
    ...(beside.size === 0 ? {} : { network: { ...systemNetwork, listen: listenOnAll(beside) } }),
  });
  own.forEach((inherited, listener) => {
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

/** Sockets that come beside those of listeners, by the one that is bound to the same address. */
function besides(own: readonly Inherited[], others: readonly Inherited[]): ReadonlyMap<number, readonly number[]> {
  const beside = new Map<number, number[]>();
  for (const other of others) {
    if (other.kind !== "socket") continue;
    const address = addressOfSocket(other.fd);
    for (const each of own)
      if (each.kind === "socket" && Bun.deepEquals(addressOfSocket(each.fd), address))
        beside.set(each.fd, [...(beside.get(each.fd) ?? []), other.fd]);
  }
  return beside;
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
