import { WeirError } from "../errors.ts";

/** How long a backend that is slow thinks before it answers: seen at once, and no timeout. */
export const SLOW_MS = 300;

/** A small HTTP server on the loopback that answers with its number. */
export interface DemoBackend {
  readonly port: number;
  readonly slow: boolean;
  readonly stopped: boolean;
  /** Makes it slow, or fast again. */
  setSlow(slow: boolean): void;
  /** Ends its server with all connections; harmless where it is stopped. */
  stop(): Promise<void>;
  /** Begins to answer again, on the same port. @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED */
  start(): void;
}

/** The backends of a demo. */
export interface DemoBackends {
  readonly ports: readonly number[];
  readonly backends: readonly DemoBackend[];
  stop(): Promise<void>;
}

/**
 * Starts a server on each port, or none.
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export async function startDemoBackends(ports: readonly number[]): Promise<DemoBackends> {
  const backends: DemoBackend[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(backends.map((backend) => backend.stop()));
  };
  for (const [index, port] of ports.entries()) {
    try {
      backends.push(startBackend(index + 1, port));
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return { ports: backends.map(({ port }) => port), backends, stop };
}

function startBackend(number: number, wanted: number): DemoBackend {
  let slow = false;
  let port = wanted;
  const serve = (): Bun.Server<undefined> => {
    try {
      return Bun.serve({
        hostname: "127.0.0.1",
        port,
        async fetch(request, { port: own }) {
          // A probe is answered at once: a backend that is slow is not down.
          if (slow && request.headers.get("user-agent")?.startsWith("weir") !== true) await Bun.sleep(SLOW_MS);
          return new Response(`backend ${number} on port ${own}\n`);
        },
      });
    } catch (error) {
      throw portError(port, error);
    }
  };
  let server: Bun.Server<undefined> | null = serve();
  port = server.port ?? port;
  return {
    port,
    get slow() {
      return slow;
    },
    get stopped() {
      return server === null;
    },
    setSlow(value) {
      slow = value;
    },
    async stop() {
      const ending = server;
      server = null;
      await ending?.stop(true);
    },
    start() {
      server ??= serve();
    },
  };
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
