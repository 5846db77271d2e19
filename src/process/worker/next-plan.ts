import { systemClock } from "../../clock.ts";
import type { Placement } from "../../engine/placement.ts";
import type { Engine, ListenerSocket, Prepared } from "../../engine/engine.ts";
import { bySlices } from "../../engine/slices.ts";
import { WeirError } from "../../errors.ts";
import { systemNetwork } from "../../net/network.ts";
import { closeDescriptor, receiveDescriptors } from "../../net/pass-descriptors.ts";
import { faultAt, hangAt } from "./faults.ts";
import type { NextPlannedParts, PlannedParts, ToWorker } from "../messages.ts";
import type { ManifestedPlan, PlanStore } from "../parts/plan-store.ts";
import { inFull } from "../parts/same-as-before.ts";

/** A plan with what it was made of, and where its numbers are. */
interface InForce extends ManifestedPlan {
  readonly placement: Placement;
}

interface Ready {
  readonly prepared: Prepared;
  readonly next: InForce;
  readonly sockets: ReadonlyMap<number, ListenerSocket>;
}

interface Under {
  readonly sockets: ReadonlyMap<number, ListenerSocket>;
  /** From when nobody wants it any more. */
  abandoned: boolean;
}

/** The plan that a worker is to have next, from when it is told of it until it is in force or forgotten. */
export class NextPlan {
  readonly #engine: Engine;
  readonly #store: PlanStore;
  readonly #worker: number;
  readonly #channel: number | null;
  #inForce: InForce;
  #ready: Ready | null = null;
  /** What is being prepared. */
  #under: Under | null = null;
  #ended = false;
  /** The preparation before: there is one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param inForce the plan of the engine @param channel where descriptors come; `null` for nowhere */
  constructor(engine: Engine, store: PlanStore, inForce: InForce, worker: number, channel: number | null) {
    this.#inForce = inForce;
    this.#engine = engine;
    this.#store = store;
    this.#worker = worker;
    this.#channel = channel;
  }

  /**
   * Makes it ready beside the one in force.
   * @throws what keeps it from being so; nothing has changed then
   */
  async prepare({ listeners, ...told }: ToWorker & { kind: "prepare" }): Promise<void> {
    this.abandon();
    // At once, whatever comes of it: they are in the channel, before those of another plan.
    const sockets = this.#socketsOf(listeners);
    const under = { sockets, abandoned: false };
    if (this.#ended) drop(under);
    this.#under = under;
    const before = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = done.promise;
    try {
      await before;
      faultAt("prepare", this.#worker);
      faultAt("prepare-exit", this.#worker);
      await hangAt("prepare-hang", this.#worker);
      const { manifest, placement } = this.#inFull(told);
      const plan = await bySlices(this.#store.planned(manifest, this.#inForce), systemClock, systemNetwork.tick);
      const prepared = await this.#engine.prepare(plan, placement);
      if (!under.abandoned) this.#ready = { prepared, next: { plan, manifest, placement }, sockets };
      else prepared.abandon();
    } catch (error) {
      drop(under);
      throw error;
    } finally {
      if (this.#under === under) this.#under = null;
      done.resolve();
    }
    if (under.abandoned) throw new WeirError("PLAN_NOT_TAKEN", "it is not wanted any more");
  }

  /** Puts it in force. @throws what keeps it from being so */
  commit(): void {
    faultAt("commit-exit", this.#worker);
    const ready = this.#ready;
    if (ready === null) throw new WeirError("WEIR_INTERNAL", "nothing was prepared");
    this.#ready = null;
    ready.prepared.commit((listener) => ready.sockets.get(listener) ?? null);
    this.#inForce = ready.next;
  }

  /** Forgets it, and what may come: the worker takes nothing new. */
  end(): void {
    this.#ended = true;
    this.abandon();
  }

  /** Forgets it. Nobody listens on what came for it from here on, also while it is still being prepared. */
  abandon(): void {
    if (this.#under !== null) drop(this.#under);
    const ready = this.#ready;
    this.#ready = null;
    if (ready === null) return;
    ready.prepared.abandon();
    closeAll(ready.sockets);
  }

  #inFull({ manifest, placement }: NextPlannedParts): PlannedParts {
    const before = this.#inForce;
    return {
      manifest: {
        top: manifest.top,
        listeners: inFull(manifest.listeners, before.manifest.listeners),
        pools: inFull(manifest.pools, before.manifest.pools),
      },
      placement: { ...placement, backends: inFull(placement.backends, before.placement.backends) },
    };
  }

  #socketsOf(listeners: (ToWorker & { kind: "prepare" })["listeners"]): ReadonlyMap<number, ListenerSocket> {
    const sent = listeners.filter(({ from }) => from.kind === "sent").map(({ position }) => position);
    const fds = sent.length === 0 || this.#channel === null ? [] : receiveDescriptors(this.#channel, sent.length);
    const sockets = new Map<number, ListenerSocket>();
    for (const [i, position] of sent.entries()) sockets.set(position, fds[i] ?? null);
    for (const { position, from } of listeners) if (from.kind === "own") sockets.set(position, "own");
    if (fds.length === sent.length) return sockets;
    closeAll(sockets);
    throw new WeirError("WORKER_FAILED", `it got ${fds.length} listening sockets of ${sent.length}`);
  }
}

function drop(under: Under): void {
  if (under.abandoned) return;
  under.abandoned = true;
  closeAll(under.sockets);
}

function closeAll(sockets: ReadonlyMap<number, ListenerSocket>): void {
  for (const socket of sockets.values()) if (typeof socket === "number") closeDescriptor(socket);
}
