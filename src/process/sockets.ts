import type { Plan } from "../plan.ts";
import type { Address } from "../address.ts";
import { bindSockets, canBind } from "../net/bind.ts";
import type { ListeningSockets } from "../net/listening-sockets.ts";
import { listen } from "../net/listen.ts";
import { resolveAddress } from "../net/resolve.ts";
import type { Inherited } from "./messages.ts";

/** The listening sockets of a plan, held open for the life of Weir. */
export interface HeldSockets {
  /** The plan with the addresses that were bound: names looked up, ports chosen. */
  readonly plan: Plan;
  /** What a worker gets for each listener. */
  inheritedBy(worker: number): readonly Inherited[];
  /** Lets new connections go to the other workers while this one is missing. */
  withdraw(worker: number): void;
  /** Gives the worker its sockets again. To be called before it is started. */
  restore(worker: number): void;
  /** Closes what is held here, and removes the files of unix sockets. */
  close(): void;
  /** Removes the files of unix sockets, where an engine of this process has taken the descriptors over. */
  removeFiles(): void;
}

/**
 * Binds every listener of a plan, or none.
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, CONFIG_NAME_UNRESOLVED
 */
export async function holdSockets(plan: Plan, workers: number): Promise<HeldSockets> {
  const held: ListeningSockets[] = [];
  const addresses: Address[] = [];
  const ahead = canBind();
  try {
    for (const { address } of plan.listeners) {
      const resolved = await resolveAddress(address);
      if (ahead) held.push(bindSockets(resolved, workers));
      addresses.push(ahead ? (held.at(-1)?.address ?? resolved) : tryOut(resolved));
    }
  } catch (error) {
    for (const sockets of held) sockets.close();
    throw error;
  }
  const listeners = plan.listeners.map((listener, i) => ({ ...listener, address: addresses[i] ?? listener.address }));
  return {
    plan: { ...plan, listeners },
    inheritedBy: (worker) =>
      addresses.map((address, i): Inherited => {
        const fd = held[i]?.fds[worker];
        if (fd !== undefined) return { kind: "socket", fd };
        return address.kind === "unix" && worker > 0 ? { kind: "none" } : { kind: "own" };
      }),
    withdraw(worker) {
      for (const sockets of held) sockets.withdraw(worker);
    },
    restore(worker) {
      for (const sockets of held) sockets.restore(worker);
    },
    close() {
      for (const sockets of held.splice(0)) sockets.close();
    },
    removeFiles() {
      for (const sockets of held.splice(0)) sockets.removeFile();
    },
  };
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
