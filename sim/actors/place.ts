import { addressOf, MOST_BACKENDS } from "../course.ts";
import type { Dice } from "../dice.ts";
import type { Endpoint } from "../network/endpoint.ts";
import type { Stage } from "../stage.ts";
import { flowOf } from "../ledger.ts";
import { HttpBackendConnection } from "./http-backend.ts";
import { HttpClient, sourceOf } from "./http-client.ts";
import { ProbedConnection } from "./probed.ts";
import { drawSent, TcpPeer } from "./tcp-peer.ts";

/** The clients and backends of a run. */
export interface Actors {
  /** Clients that still wait for something. */
  unsettled(): readonly string[];
  /** How many requests or connections ended how. */
  outcomes(): Readonly<Record<string, number>>;
}

/** Clients begin within so many milliseconds. */
const BEGINNING_MS = 2_000;

/** Puts clients and backends in their places. */
export function placeActors(stage: Stage, dice: Dice): Actors {
  return stage.setting.mode === "http" ? placeHttp(stage, dice) : placeTcp(stage, dice);
}

function placeHttp(stage: Stage, dice: Dice): Actors {
  const { world, network, ledger, setting } = stage;
  for (let index = 0; index < MOST_BACKENDS; index++) {
    const own = dice.fork();
    network.serve(addressOf(index), (end, probes) =>
      probes ? probed(stage, index, end) : new HttpBackendConnection(stage, own.fork(), index, end),
    );
  }
  const clients = Array.from({ length: setting.clients }, (_, number) => new HttpClient(stage, dice.fork(), number));
  for (const client of clients) world.after(dice.size(0, BEGINNING_MS), () => client.start());
  return {
    unsettled: () => clients.flatMap((client, number) => (client.settled ? [] : [`client ${number}`])),
    outcomes() {
      const counts: Record<string, number> = {};
      for (const { outcome } of ledger.asked.values())
        counts[outcome || "not asked"] = (counts[outcome || "not asked"] ?? 0) + 1;
      return counts;
    },
  };
}

function probed({ world, setting }: Stage, backend: number, end: Endpoint): ProbedConnection {
  return new ProbedConnection(world, end, setting.spells[backend] ?? []);
}

/** Numbers of what backends send begin here. */
const BACKENDS = 100_000;

function placeTcp(stage: Stage, dice: Dice): Actors {
  const { world, network, ledger, setting } = stage;
  const { sent } = stage;
  const reached = new Set<number>();
  let connections = 0;
  for (let index = 0; index < MOST_BACKENDS; index++) {
    const own = dice.fork();
    network.serve(addressOf(index), (end, probes) => {
      if (probes) return probed(stage, index, end);
      const mine = drawSent(own, BACKENDS + ++connections);
      sent.set(mine.number, mine);
      const peer = new TcpPeer(stage, own.fork(), `backend ${index} connection ${connections}`, mine, (number) => {
        const client = sent.get(number);
        if (client === undefined || reached.has(number)) {
          world.violate(
            `backend ${index} meets client ${number}, ${client === undefined ? "which there is not" : "and another did before"}`,
          );
          return null;
        }
        reached.add(number);
        const clientEnd = ledger.ends.get(number);
        if (clientEnd !== undefined) ledger.flows.add(flowOf(`tunnel of client ${number}`, end.other, clientEnd, 0));
        return client;
      });
      end.data = peer;
      peer.opened(end);
      return peer;
    });
  }
  const clients = Array.from({ length: setting.clients }, (_, number) => {
    const mine = drawSent(dice, number);
    sent.set(number, mine);
    const peer = new TcpPeer(stage, dice.fork(), `client ${number}`, mine, (backend) => sent.get(backend) ?? null);
    peer.meetsWeir = (end) => void ledger.ends.set(number, end);
    return peer;
  });
  for (const [number, client] of clients.entries())
    world.after(dice.size(0, BEGINNING_MS), () => network.reach(setting.address, sourceOf(setting, number), client));
  return {
    unsettled: () => clients.flatMap((client, number) => (client.settled ? [] : [`client ${number}`])),
    outcomes: () => ({ connections: clients.length }),
  };
}
