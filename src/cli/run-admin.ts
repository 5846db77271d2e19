import type { AdminServer } from "../admin/server.ts";
import { WeirError } from "../errors.ts";
import type { Plan } from "../plan.ts";
import type { CompanionChange } from "../process/supervise/companion.ts";
import type { Supervisor } from "../process/supervise/supervisor.ts";

/** How long a predecessor is given to leave the address, and how often is looked. */
const INHERIT_MS = 30_000;
const LOOK_MS = 50;

/** The admin API of a run. */
export interface RunAdmin {
  /** @throws ADMIN_ADDRESS_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, ADMIN_TOKEN_UNSAFE */
  begin(): Promise<void>;
  /** Makes sure that nothing but a predecessor is in the way of what the plan asks for. @throws ADMIN_TOKEN_UNSAFE */
  check(): Promise<void>;
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
  /** `waiting`: for a predecessor, or for whoever else has the address of the plan in force. */
  let phase: "waiting" | "listening" | "left" = "waiting";
  const isLeft = (): boolean => phase === "left";
  let inheriting: Promise<void> | null = null;
  const prepare = async ({ admin }: Plan): Promise<CompanionChange> => {
    if (server === null) {
      if (admin === null) return nothing;
      const [{ AdminServer: Server }, { runningSupervisor }] = await Promise.all([
        import("../admin/server.ts"),
        import("../admin/running-supervisor.ts"),
      ]);
      server ??= new Server(runningSupervisor(supervisor, stop));
    }
    return server.prepare(admin);
  };
  /** Listens where the plan in force says, also where it has become another one meanwhile. */
  const listen = async (): Promise<void> => {
    for (let plan: Plan | null = null; plan !== supervisor.plan && !isLeft();) {
      plan = supervisor.plan;
      const change = await prepare(plan);
      if (isLeft()) change.abandon();
      else change.commit();
    }
    if (!isLeft()) phase = "listening";
  };
  const waitForAddress = async (): Promise<void> => {
    for (const until = performance.now() + INHERIT_MS; ; await Bun.sleep(LOOK_MS)) {
      try {
        return await listen();
      } catch (error) {
        if (!(error instanceof WeirError)) throw error;
        if (error.code === "ADMIN_ADDRESS_IN_USE" && performance.now() < until && !isLeft()) continue;
        return supervisor.log.error("admin not bound", { code: error.code, reason: error.detail });
      }
    }
  };
  const inherit = (): Promise<void> =>
    (inheriting ??= waitForAddress().finally(() => {
      inheriting = null;
    }));
  supervisor.goesAlong({
    async prepare(plan) {
      switch (phase) {
        case "listening":
          return prepare(plan);
        case "waiting":
          await checkToken(plan);
          // It listens by the plan in force as soon as it can, whichever that is then.
          return { commit: () => void inherit(), abandon() {} };
        case "left":
          return nothing;
      }
    },
  });
  return {
    begin: listen,
    check: () => checkToken(supervisor.plan),
    inherit,
    async leave() {
      phase = "left";
      await server?.leave();
    },
    async close() {
      phase = "left";
      await server?.close();
    },
  };
}

const nothing: CompanionChange = { commit() {}, abandon() {} };

async function checkToken({ admin }: Plan): Promise<void> {
  const tokenFile = admin?.tokenFile ?? null;
  if (tokenFile !== null) (await import("../admin/token.ts")).readToken(tokenFile);
}
