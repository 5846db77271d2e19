import type { Connection } from "../src/net/connection.ts";
import type { Sent } from "./actors/tcp-peer.ts";
import type { Ledger } from "./ledger.ts";
import { Endpoint } from "./network/endpoint.ts";
import type { SimNetwork } from "./network/network.ts";
import type { Setting } from "./setting.ts";
import type { World } from "./world.ts";

/** Where actors of a run act. */
export class Stage {
  readonly world: World;
  readonly network: SimNetwork;
  readonly ledger: Ledger;
  readonly setting: Setting;
  /** Where Weir accepts. */
  readonly address: string;
  /** What the ends of tunnels send, by its number. */
  readonly sent: Map<number, Sent> = new Map();

  constructor(world: World, network: SimNetwork, ledger: Ledger, setting: Setting) {
    this.world = world;
    this.network = network;
    this.ledger = ledger;
    this.setting = setting;
    this.address = setting.address;
  }

  /** An actor's connection as this network has it. */
  own(connection: Connection): Endpoint {
    if (!(connection instanceof Endpoint)) throw new Error("not of this network");
    return connection;
  }

  /** Weir's end of an actor's connection. */
  other(connection: Connection): Endpoint {
    return this.own(connection).other;
  }
}
