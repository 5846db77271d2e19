/** A port that nobody listens on at the moment. */
export function freePort(): number {
  const held = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  held.stop(true);
  return held.port;
}

/** Waits until a port takes connections. @returns the port */
export async function accepting(port: number): Promise<number> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (await takesConnections(port)) return port;
    await Bun.sleep(20);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/**
 * Whether a port is given up within so many milliseconds by processes that were killed. One is a zombie as soon as its first thread has ended, and
 * holds its sockets until the last one has: some 25 ms later on a busy machine.
 */
export async function givenUp(port: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (await takesConnections(port)) {
    if (performance.now() > deadline) return false;
    await Bun.sleep(20);
  }
  return true;
}

/** Whether anything listens on a port. */
export async function takesConnections(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
