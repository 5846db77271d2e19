import { type Address, formatAddress } from "../../address.ts";
import { WeirError } from "../../errors.ts";
import type { ListenerPlan, Plan } from "../../plan.ts";
import { adoptSockets, bindSockets, canBind, type Handed } from "../../net/bind.ts";
import type { ListeningSockets } from "../../net/listening-sockets.ts";
import { listen } from "../../net/listen.ts";
import { resolveAddress } from "../../net/resolve.ts";
import type { Inherited, Sent } from "../messages.ts";

/** Listening sockets that somebody else opened: the predecessor of this process, or the system. */
export interface Legacy extends Handed {
  /** The listener that they were for, and its address as the configuration had it; `null` where only the address tells. */
  readonly listener: { readonly name: string; readonly asked: string } | null;
}

/** The listening sockets of the plan in force, held open as long as it has the listener. */
export interface HeldSockets {
  /** The plan with the addresses that were bound: names looked up, ports chosen. */
  readonly plan: Plan;
  /** What a worker gets for each listener of the plan in force, in their order; then sockets that it serves beside one of those, on its address. */
  inheritedBy(worker: number): readonly Inherited[];
  /** Binds what a plan adds, or nothing. One change after another. @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, CONFIG_NAME_UNRESOLVED, NOT_RUNNING once `close` was called */
  change(plan: Plan): Promise<SocketsChange>;
  /** Lets new connections go to the other workers while this one is missing. */
  withdraw(worker: number): void;
  /** Gives the worker its sockets again. To be called before it is started. */
  restore(worker: number): void;
  /** What a successor goes on with: the descriptors stay open here until `release`. */
  legacy(): readonly Legacy[];
  /** Whoever left sockets to this process goes on with them no more. Until then, and for the system's own for ever, their files are not removed here. */
  own(): void;
  /** Closes what is held here, where a successor goes on with it. */
  release(): void;
  /** Closes what is held here, also for a change that is under way, and removes the files of unix sockets that are its own. */
  close(): void;
  /** Removes the files of unix sockets, where an engine of this process has taken the descriptors over. */
  removeFiles(): void;
}

/** Sockets for another plan, bound beside those of the plan in force. One of the last two is to be called, once. */
export interface SocketsChange {
  /** With the addresses that were bound. */
  readonly plan: Plan;
  /** Positions of listeners that the plan in force does not have, by name and address. */
  readonly added: readonly number[];
  /** What a worker gets for one of them, and the descriptor that is to be sent along. */
  sentTo(worker: number, position: number): { readonly from: Sent; readonly fd: number | null };
  /** The plan is in force: closes what it has left. @throws NOT_RUNNING where all was closed meanwhile */
  commit(): void;
  /** Closes what was added. */
  abandon(): void;
}

interface Held {
  readonly name: string;
  /** As the configuration has it: a port of 0 is another port each time it is asked for anew. */
  readonly asked: string;
  readonly address: Address;
  /** `null` where workers bind for themselves. */
  readonly sockets: ListeningSockets | null;
}

/** Sockets that somebody else opened, and may go on with. */
type Lent = Map<ListeningSockets, Legacy>;

/**
 * Binds every listener of a plan, or none.
 * @param legacy sockets that are open already; those that no listener wants are closed
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, CONFIG_NAME_UNRESOLVED
 */
export async function holdSockets(plan: Plan, workers: number, legacy: readonly Legacy[] = []): Promise<HeldSockets> {
  const left = [...legacy];
  const lent: Lent = new Map();
  const take = (name: string, asked: string, address: Address): ListeningSockets | null => {
    const own = left.findIndex(({ listener }) => listener?.name === name && listener.asked === asked);
    const at = own === -1 ? left.findIndex((each) => formatAddress(each.address) === formatAddress(address)) : own;
    const [found] = at === -1 ? [] : left.splice(at, 1);
    if (found === undefined) return null;
    const sockets = adoptSockets(found, workers);
    lent.set(sockets, found);
    return sockets;
  };
  let held: readonly Held[];
  try {
    held = await bindAll(plan.listeners, workers, [], take);
  } catch (error) {
    for (const sockets of lent.keys()) sockets.release();
    throw error;
  } finally {
    for (const each of left) adoptSockets(each, workers).release();
  }
  return holding(planWith(plan, held), held, workers, lent);
}

function holding(first: Plan, firstHeld: readonly Held[], workers: number, lent: Lent): HeldSockets {
  let plan = first;
  let held = firstHeld;
  /** Closes what was bound for a change that is neither in force nor abandoned. */
  let closeComing = nothing;
  let closed = false;
  const end = (sockets: ListeningSockets | null): void =>
    sockets !== null && lent.has(sockets) ? sockets.release() : sockets?.close();
  const all = (): ListeningSockets[] => held.map(({ sockets }) => sockets).filter((sockets) => sockets !== null);
  return {
    get plan() {
      return plan;
    },
    inheritedBy: (worker) => [
      ...held.map((each): Inherited => {
        const fd = each.sockets?.fds[worker];
        return fd === undefined ? ownBy(worker, each) : { kind: "socket", fd };
      }),
      ...all().flatMap(({ beside }) =>
        beside.filter((fd, i) => fd >= 0 && i % workers === worker).map((fd): Inherited => ({ kind: "socket", fd })),
      ),
    ],
    async change(next) {
      const before = held;
      const after = await bindAll(next.listeners, workers, before);
      const nextPlan = planWith(next, after);
      const kept = new Set(before.map(({ sockets }) => sockets));
      const now = new Set(after.map(({ sockets }) => sockets));
      closeComing = () => {
        closeComing = nothing;
        for (const sockets of now) if (!kept.has(sockets)) sockets?.close();
      };
      if (closed) {
        closeComing();
        throw ending();
      }
      const isOld = (one: Held): boolean =>
        before.some(({ name, address }) => name === one.name && formatAddress(address) === formatAddress(one.address));
      return {
        plan: nextPlan,
        added: [...after.keys()].filter((position) => !isOld(after[position]!)),
        sentTo(worker, position) {
          const one = after[position]!;
          const fd = one.sockets?.fds[worker];
          return fd === undefined ? { from: ownBy(worker, one), fd: null } : { from: { kind: "sent" }, fd };
        },
        commit() {
          if (closed) throw ending();
          closeComing = nothing;
          plan = nextPlan;
          held = after;
          for (const sockets of kept) if (!now.has(sockets)) end(sockets);
        },
        abandon: () => closeComing(),
      };
    },
    withdraw(worker) {
      for (const sockets of all()) sockets.withdraw(worker);
    },
    restore(worker) {
      for (const sockets of all()) sockets.restore(worker);
    },
    legacy: () =>
      held.flatMap(({ name, asked, address, sockets }) => {
        const fds = [...new Set([...(sockets?.fds ?? []), ...(sockets?.beside ?? [])].filter((fd) => fd >= 0))];
        const more = sockets === null || (lent.get(sockets)?.more ?? true);
        return fds.length === 0 ? [] : [{ address, fds, more, listener: { name, asked } }];
      }),
    own() {
      for (const [sockets, { more }] of lent) if (more) lent.delete(sockets);
    },
    release() {
      for (const sockets of all()) sockets.release();
      held = [];
    },
    close() {
      closed = true;
      closeComing();
      for (const sockets of all()) end(sockets);
      held = [];
    },
    removeFiles() {
      for (const sockets of all()) sockets.removeFile();
      held = [];
    },
  };
}

function nothing(): void {}

function ending(): WeirError {
  return new WeirError("NOT_RUNNING", "Weir is ending");
}

/** How a worker listens where it binds for itself. */
function ownBy(worker: number, { address }: Held): { readonly kind: "own" | "none" } {
  return { kind: address.kind === "unix" && worker > 0 ? "none" : "own" };
}

function planWith(plan: Plan, held: readonly Held[]): Plan {
  const listeners = plan.listeners.map((listener, i) => ({
    ...listener,
    address: held[i]?.address ?? listener.address,
  }));
  return { ...plan, listeners };
}

/** What is held for each listener: what was held for it before, what stands under another name on its address, or something new. */
async function bindAll(
  listeners: readonly ListenerPlan[],
  workers: number,
  before: readonly Held[],
  take: (name: string, asked: string, address: Address) => ListeningSockets | null = () => null,
): Promise<readonly Held[]> {
  const free = new Set(before);
  const same = (name: string, asked: string): Held | undefined =>
    [...free].find((each) => each.name === name && each.asked === asked);
  const kept = listeners.map(({ name, address }) => {
    const one = same(name, formatAddress(address));
    if (one !== undefined) free.delete(one);
    return one;
  });
  const made: ListeningSockets[] = [];
  const after: Held[] = [];
  try {
    for (const [i, { name, address }] of listeners.entries()) {
      const one = kept[i];
      const asked = formatAddress(address);
      const renamed = one ?? (isChosen(address) ? undefined : [...free].find((each) => each.asked === asked));
      if (renamed !== undefined) {
        free.delete(renamed);
        after.push({ ...renamed, name });
        continue;
      }
      const resolved = await resolveAddress(address);
      // Written in another way: a socket of its own beside that one would be nobody's, since workers know the listener by name and address.
      const there = [...free].find((each) => formatAddress(each.address) === formatAddress(resolved));
      if (there !== undefined) {
        free.delete(there);
        after.push({ ...there, name, asked });
        continue;
      }
      const taken = take(name, asked, resolved);
      const sockets = taken ?? (canBind() ? bound(resolved, workers, before) : null);
      if (taken === null && sockets !== null) made.push(sockets);
      after.push({ name, asked, address: sockets?.address ?? tryOut(resolved), sockets });
    }
  } catch (error) {
    for (const sockets of made) sockets.close();
    throw error;
  }
  return after;
}

/** Whether the system chooses the port. */
function isChosen(address: Address): boolean {
  return address.kind === "tcp" && address.port === 0;
}

/** Binds an address; where another one of its port is held here, beside it. */
function bound(address: Address, workers: number, before: readonly Held[]): ListeningSockets {
  const beside = before.filter(
    ({ address: held }) => held.kind === "tcp" && address.kind === "tcp" && held.port === address.port,
  );
  for (const { sockets } of beside) sockets?.share();
  return bindSockets(address, workers, beside.length > 0);
}

/** Finds out whether an address is free, and its port where the system chooses one, where workers bind for themselves. */
function tryOut(address: Address): Address {
  if (address.kind === "unix") return address; // the worker finds out
  const trial = listen({
    address,
    accept: () => {
      throw new Error("nothing is accepted while an address is tried");
    },
  });
  trial.stop();
  return { ...address, port: trial.port };
}
