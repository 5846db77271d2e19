/** A port that nobody listens on at the moment. */
export function freePort(): number {
  const held = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  held.stop(true);
  return held.port;
}

/** Waits until a port takes connections. @returns the port */
export async function accepting(port: number): Promise<number> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    if (await takesConnections(port)) return port;
    await Bun.sleep(20);
  }
  throw new Error(`nothing listens on port ${port}`);
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
