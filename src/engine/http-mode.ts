import { Origins } from "../http/origin.ts";
import { ClientConnection, type ClientContext } from "../http1/client-connection.ts";
import { type ExchangeContext, HttpExchange } from "../proxy/http-exchange.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import { ExplainRequests } from "./explain-requests.ts";
import type { ClientFacts } from "./client-facts.ts";
import { Members } from "./members.ts";
import type { Mode, ModeParts, ModeSettings } from "./mode.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Connections that speak HTTP/1.1, and the tunnels that some become. */
export function httpMode({ listener, row, wheel, fineWheel, log, running }: ModeParts, settings: ModeSettings): Mode {
  const clients = new Members<ClientConnection>();
  const tunnels = new Set<Tunnel>();
  const { route } = settings.router;
  let origins = originsOf(settings);
  let { plan, trustedProxies } = settings;
  const { observer } = settings;
  const explaining = new ExplainRequests(listener, running);
  const own = { listener, row, wheel, fineWheel, log, tunnels, explaining };
  const exchanges: Mutable<ExchangeContext> = { ...own, route, observer };
  const context: Mutable<ClientContext> = {
    wheel,
    ...contextOf(settings),
    draining: false,
    serve(stream, request) {
      const exchange = new HttpExchange(exchanges, stream, request);
      exchange.begin();
      return exchange;
    },
    originOf: (connection) => origins.of(connection),
    refused: (code, origin) => {
      row.refuse(code);
      if (exchanges.observer !== null && origin !== null) exchanges.observer.refused(code, origin, wheel.refresh());
    },
    left: (client) => clients.delete(client),
  };
  return {
    accept(connection) {
      const client = new ClientConnection(context, connection);
      clients.add(client);
      return client;
    },
    change(to) {
      exchanges.route = to.router.route;
      exchanges.observer = to.observer;
      Object.assign(context, contextOf(to));
      const sameOrigins = plan.via === to.plan.via && sameTexts(trustedProxies, to.trustedProxies);
      ({ plan, trustedProxies } = to);
      if (sameOrigins) return;
      origins = originsOf(to);
      for (const client of clients.list()) client.forgetOrigin();
    },
    drain() {
      context.draining = true;
      for (const client of clients.list()) client.drain();
    },
    end(what) {
      if (what === "requests") for (const client of clients.list()) client.destroy();
      else for (const tunnel of tunnels) tunnel.destroy();
    },
    evict(links, what, waiting) {
      if (what === "requests") {
        for (const { exchange } of clients.list()) if (exchange instanceof HttpExchange) exchange.evict(links, waiting);
      } else if (!waiting) {
        for (const tunnel of tunnels)
          if (tunnel.link !== null && links.has(tunnel.link)) {
            row.fail("WEIR_DRAINED");
            tunnel.destroy();
          }
      }
    },
    close() {
      for (const client of clients.list()) client.destroy();
      for (const tunnel of tunnels) tunnel.destroy();
    },
    get open() {
      return clients.size + tunnels.size;
    },
    clients: () => [
      ...clients.list().map((client): ClientFacts => {
        const state = client.exchange === null ? "idle" : "active";
        return { of: client, connection: client.connection, state, close: () => client.destroy() };
      }),
      ...[...tunnels].map((tunnel): ClientFacts => {
        return { of: tunnel, connection: tunnel.client, state: "tunnel", close: () => tunnel.destroy() };
      }),
    ],
  };
}

function contextOf({
  plan,
  router,
}: ModeSettings): Pick<ClientContext, "limits" | "headMs" | "keepAliveMs" | "bodyMs"> {
  const { headMs, keepAliveMs, bodyMs } = plan.timeouts;
  return { limits: router.limits, headMs, keepAliveMs, bodyMs };
}

function originsOf({ trustedProxies, plan }: ModeSettings): Origins {
  return new Origins(trustedProxies, plan.via);
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((text, index) => text === b[index]));
}
