import type { Target } from "../proxy/target.ts";
import { TcpSession, type TcpContext } from "../proxy/tcp-session.ts";
import type { ClientFacts } from "./client-facts.ts";
import { Members } from "./members.ts";
import type { Mode, ModeParts, ModeSettings } from "./mode.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Connections whose bytes pass as they are. A session stays with the target that it began with. */
export function tcpMode({ listener, row, wheel, log }: ModeParts, settings: ModeSettings): Mode {
  const sessions = new Members<TcpSession>();
  const context: Mutable<TcpContext> = {
    listener,
    row,
    wheel,
    log,
    target: targetOf(settings),
    left: (session) => sessions.delete(session),
    observer: settings.observer,
  };
  const close = (): void => {
    for (const session of sessions.list()) session.destroy();
  };
  return {
    accept(connection) {
      const session = new TcpSession(context, connection);
      sessions.add(session);
      // Bun sets `data` to what is returned here: a session that fails at once must already be the receiver.
      connection.data = session;
      session.begin();
      return connection.data;
    },
    change(to) {
      context.target = targetOf(to);
      context.observer = to.observer;
    },
    drain() {},
    end(what) {
      if (what === "tunnels") close();
    },
    evict(links, what, waiting) {
      if (what === "tunnels") for (const session of sessions.list()) session.evict(links, waiting);
    },
    close,
    get open() {
      return sessions.size;
    },
    clients: () =>
      sessions.list().map((session): ClientFacts => {
        return { of: session, connection: session.client, state: "tunnel", close: () => session.destroy() };
      }),
  };
}

function targetOf({ plan, router }: ModeSettings): Target {
  const [target] = router.targets.values();
  if (target === undefined) throw new Error(`listener ${plan.name} has no pool`);
  return target;
}
