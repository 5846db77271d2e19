import { libc } from "./libc.ts";

/** Descriptors in one message; as many as one may carry on Linux, and a few less. */
const MOST = 250;

/** A way for open sockets into another process: one end stays here, the other is inherited by that process. */
export interface DescriptorChannel {
  /** Of the end that stays here. */
  readonly own: number;
  /** Of the end that is to be inherited. To be closed here once it is. */
  readonly other: number;
}

/** Makes a way for descriptors into another process; `null` where the system offers none. The caller closes both ends. */
export function descriptorChannel(): DescriptorChannel | null {
  const c = libc();
  if (c === null || !c.system.passes) return null;
  const made = c.socketPair();
  return made.ok && made.other !== undefined ? { own: made.value, other: made.other } : null;
}

/**
 * Hands descriptors over; they stay open here. What is sent waits in the channel until it is taken, so whoever is told afterwards finds it.
 * @returns whether all of them went
 */
export function sendDescriptors(channel: number, descriptors: readonly number[]): boolean {
  const c = libc();
  for (let at = 0; at < descriptors.length; at += MOST)
    if (c?.sendDescriptors(channel, descriptors.slice(at, at + MOST)).ok !== true) return false;
  return true;
}

/** Takes so many of what was handed over, in their order; fewer where no more is there. The caller closes them. */
export function receiveDescriptors(channel: number, count: number): readonly number[] {
  const c = libc();
  const received: number[] = [];
  if (c === null) return received;
  while (received.length < count) {
    const some = c.receiveDescriptors(channel);
    if (some.length === 0) break;
    received.push(...some);
  }
  return received;
}

/** Closes a descriptor that nothing of the runtime holds. */
export function closeDescriptor(descriptor: number): void {
  libc()?.close(descriptor);
}
