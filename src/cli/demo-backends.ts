import { WeirError } from "../errors.ts";

/** Small HTTP servers on the loopback that answer with their number. */
export interface DemoBackends {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/**
 * Starts a server on each port, or none.
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export async function startDemoBackends(ports: readonly number[]): Promise<DemoBackends> {
  const servers: Bun.Server<undefined>[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop(true)));
  };
  for (const [index, port] of ports.entries()) {
    try {
      const server = Bun.serve({
        hostname: "127.0.0.1",
        port,
        fetch: (_request, { port: own }): Response => new Response(`backend ${index + 1} on port ${own}\n`),
      });
      servers.push(server);
    } catch (error) {
      await stop();
      throw portError(port, error);
    }
  }
  return { ports: servers.map(({ port }, i) => port ?? ports[i] ?? 0), stop };
}

function portError(port: number, error: unknown): WeirError {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE") {
    return new WeirError(
      "LISTEN_IN_USE",
      `port ${port}, wanted for a demo backend, is taken by another program`,
      error,
    );
  }
  if (code === "EACCES")
    return new WeirError("LISTEN_NOT_PERMITTED", `this user may not listen on port ${port}`, error);
  return new WeirError(
    "LISTEN_FAILED",
    `port ${port}: ${error instanceof Error ? error.message : String(error)}`,
    error,
  );
}
