import type { AdminServer } from "../admin/server.ts";
import { WeirError } from "../errors.ts";
import type { Supervisor } from "../process/supervisor.ts";

/** How long a predecessor is given to leave the address, and how often is looked. */
const INHERIT_MS = 30_000;
const LOOK_MS = 50;

/** The admin API of a run. */
export interface RunAdmin {
  /** @throws ADMIN_ADDRESS_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, ADMIN_TOKEN_UNSAFE */
  begin(): Promise<void>;
  /** Takes the address over from a predecessor that is about to leave it. */
  inherit(): Promise<void>;
  /** Leaves the address; what is being answered is finished. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The admin API of a supervisor; it goes along with its plan, and is loaded when there is first to be one.
 * @param stop drains, or ends at once
 */
export function adminOf(supervisor: Supervisor, stop: (now: boolean) => void): RunAdmin {
  let server: AdminServer | null = null;
  const listen = async (): Promise<void> => {
    const { admin } = supervisor.plan;
    if (server === null) {
      if (admin === null) return;
      const [{ AdminServer: Server }, { runningSupervisor }] = await Promise.all([
        import("../admin/server.ts"),
        import("../admin/running-supervisor.ts"),
      ]);
      server ??= new Server(runningSupervisor(supervisor, stop));
    }
    await server.listen(admin);
  };
  const failed = (error: unknown): void => {
    if (!(error instanceof WeirError)) throw error;
    supervisor.log.error("admin not bound", { code: error.code, reason: error.detail });
  };
  /** One change of the address after another. */
  let last: Promise<void> = Promise.resolve();
  let left = false;
  const follow = (): Promise<void> => {
    last = last.then(() => (left ? undefined : listen())).catch(failed);
    return last;
  };
  const unfollow = supervisor.events.subscribe(({ event }) => {
    if (event === "configuration in force") void follow();
  });
  return {
    begin: listen,
    async inherit() {
      for (const until = performance.now() + INHERIT_MS; ; await Bun.sleep(LOOK_MS)) {
        try {
          return await listen();
        } catch (error) {
          const wait = error instanceof WeirError && error.code === "ADMIN_ADDRESS_IN_USE" && performance.now() < until;
          if (!wait) return failed(error);
        }
      }
    },
    async leave() {
      left = true;
      unfollow();
      await server?.leave();
    },
    async close() {
      left = true;
      unfollow();
      await server?.close();
    },
  };
}
