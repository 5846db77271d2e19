import type { ErrorCode } from "../errors.ts";
import type { ListenerPlan } from "../plan.ts";
import type { Head } from "../http/head.ts";
import { Origins } from "../http/origin.ts";
import { ClientConnection, type ClientContext } from "../http1/client-connection.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import type { Listen } from "../net/listen.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import { widest } from "../proxy/head-limits.ts";
import { type ExchangeContext, HttpExchange } from "../proxy/http-exchange.ts";
import { type LivePool, makeTarget, type Target } from "../proxy/target.ts";
import { TcpSession, type TcpContext } from "../proxy/tcp-session.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import { acceptCounted, NOBODY } from "./counted-connection.ts";
import { Members } from "./members.ts";
import { hostOf, pathOf } from "../route/request-key.ts";
import { RouteTable } from "../route/table.ts";
import { Door } from "./door.ts";
import type { Entrance } from "./entrance.ts";

/** What a listener is made of. */
export interface ListenerParts {
  readonly plan: ListenerPlan;
  readonly trustedProxies: readonly string[];
  readonly pools: ReadonlyMap<string, LivePool>;
  readonly row: Row;
  readonly wheel: TimerWheel;
  readonly fineWheel: TimerWheel;
  readonly workers: number;
  readonly listen: Listen;
  /** Of the worker, through any listener. */
  readonly entrance: Entrance;
  /** Of this listener beside it; `null` where it has no limit of its own. */
  readonly own: Entrance | null;
  readonly log: Log;
}

/** A listener at work. */
export interface LiveListener {
  /** Starts accepting; see `Engine.listen`. */
  listen(fd: number | undefined, reusePort: boolean | undefined): number;
  /** Stops accepting; idle connections close, the others when they are done. */
  drain(): void;
  /** Closes everything at once. */
  close(): void;
  /** Clients' connections that are open, tunnels included. */
  readonly open: number;
}

/** What a mode does with the connections of a listener. */
interface Mode {
  accept(connection: Connection): Receiver;
  drain(): void;
  close(): void;
  readonly open: number;
}

/** Makes a listener of its plan. Nothing is accepted before `listen`. */
export function makeListener(parts: ListenerParts): LiveListener {
  const { plan, row, wheel, entrance, own } = parts;
  const mode = plan.mode === "http" ? httpMode(parts) : tcpMode(parts);
  const door = new Door(row);
  entrance.add(door);
  own?.add(door);
  const limited = [entrance.sources, own?.sources ?? null].filter((sources) => sources !== null);
  const counted = limited.length === 0 ? null : limited;
  const take = (connection: Connection): Receiver => mode.accept(connection);
  const closed = (): void => {
    entrance.leave();
    own?.leave();
  };
  return {
    listen(fd, reusePort) {
      const accept = (connection: Connection): Receiver => {
        row.add(COLUMN.connections, 1);
        const { turnsAway } = door;
        entrance.enter();
        own?.enter();
        if (turnsAway) return turnAway(connection, row, "WEIR_NO_ROOM");
        // The process may have been stopped for longer than a deadline: what is new counts from now.
        wheel.refresh();
        if (counted === null) return mode.accept(connection);
        return acceptCounted(connection, counted, take) ?? turnAway(connection, row, "CLIENT_TOO_MANY_CONNECTIONS");
      };
      const listening = parts.listen({ address: plan.address, fd, reusePort, accept, closed });
      door.begin(listening);
      return listening.port;
    },
    drain() {
      door.end();
      mode.drain();
    },
    close() {
      door.end();
      mode.close();
    },
    get open() {
      return mode.open;
    },
  };
}

/** Where what comes cannot be left to wait: it is closed at once, with a reset, so that it takes no room. */
function turnAway(connection: Connection, row: Row, code: ErrorCode): Receiver {
  row.fail(code);
  connection.data = NOBODY;
  connection.terminate();
  return NOBODY;
}

function targets({ plan, pools, workers }: ListenerParts): Target[] {
  return plan.routes.map((route) => {
    const live = pools.get(route.pool);
    if (live === undefined) throw new Error(`no pool ${route.pool}`);
    return makeTarget(live, route, workers);
  });
}

function httpMode(parts: ListenerParts): Mode {
  const { plan, row, wheel, fineWheel, log } = parts;
  const clients = new Members<ClientConnection>();
  const tunnels = new Set<Tunnel>();
  const origins = new Origins(parts.trustedProxies, plan.via);
  const exchanges: ExchangeContext = { listener: plan.name, row, wheel, fineWheel, log, tunnels, route: router(parts) };
  const context: ClientContext = {
    wheel,
    limits: widest(plan.routes.map(({ limits }) => limits)),
    headMs: plan.timeouts.headMs,
    keepAliveMs: plan.timeouts.keepAliveMs,
    bodyMs: plan.timeouts.bodyMs,
    draining: false,
    serve(stream, request) {
      const exchange = new HttpExchange(exchanges, stream, request);
      exchange.begin();
      return exchange;
    },
    originOf: (connection) => origins.of(connection),
    refused: (code) => row.refuse(code),
    left: (client) => clients.delete(client),
  };
  return {
    accept(connection) {
      const client = new ClientConnection(context, connection);
      clients.add(client);
      return client;
    },
    drain() {
      context.draining = true;
      for (const client of clients.list()) client.drain();
    },
    close() {
      for (const client of clients.list()) client.destroy();
      for (const tunnel of tunnels) tunnel.destroy();
    },
    get open() {
      return clients.size + tunnels.size;
    },
  };
}

/** Finds the target of a request; makes text of it only where a route asks for host or path. */
function router(parts: ListenerParts): (request: Head) => Target | null {
  const all = targets(parts);
  const table = new RouteTable(parts.plan.routes.map((route, index) => [route, all[index]!] as const));
  const { needsHost, needsPath } = table;
  if (!needsHost && !needsPath) {
    const only = table.find("", "");
    return () => only;
  }
  return (request) => table.find(needsHost ? hostOf(request) : "", needsPath ? pathOf(request) : "");
}

function tcpMode(parts: ListenerParts): Mode {
  const sessions = new Members<TcpSession>();
  const [target] = targets(parts);
  if (target === undefined) throw new Error(`listener ${parts.plan.name} has no pool`);
  const { plan, row, wheel, log } = parts;
  const context: TcpContext = {
    listener: plan.name,
    row,
    wheel,
    log,
    target,
    left: (session) => sessions.delete(session),
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
    drain() {},
    close() {
      for (const session of sessions.list()) session.destroy();
    },
    get open() {
      return sessions.size;
    },
  };
}
