import { type Listen, type Listening, listen } from "./listen.ts";

/**
 * Listens on a socket and on others of the same address beside it, as one: it accepts from the queues of all of them.
 * @param beside inherited listening sockets, by the one that they go with
 */
export function listenOnAll(beside: ReadonlyMap<number, readonly number[]>): Listen {
  const left = new Map(beside);
  return (options) => {
    const fds = options.fd === undefined ? [] : (left.get(options.fd) ?? []);
    // Once: a later socket may have the number of one that is closed.
    if (options.fd !== undefined) left.delete(options.fd);
    const begun = [listen(options)];
    try {
      for (const fd of fds) begun.push(listen({ ...options, fd }));
    } catch (error) {
      for (const one of begun) one.stop();
      throw error;
    }
    return asOne(begun);
  };
}

/** The first one says which port it is. */
function asOne(all: readonly Listening[]): Listening {
  const resume = (some: readonly Listening[]): void => {
    for (const one of some) one.resume?.();
  };
  return {
    port: all[0]?.port ?? 0,
    stop() {
      for (const one of all) one.stop();
    },
    pause() {
      const stuck = all.findIndex((one) => one.pause?.() !== true);
      if (stuck === -1) return true;
      resume(all.slice(0, stuck));
      return false;
    },
    resume: () => resume(all),
  };
}
