import type { Connection, Receiver } from "../../src/net/connection.ts";
import type { Dice } from "../dice.ts";
import type { Endpoint } from "../network/endpoint.ts";
import type { Stage } from "../stage.ts";
import { drawPace, inPieces } from "./pieces.ts";
import { bodyBytes, isBody } from "./pool-bytes.ts";
import { Script } from "./script.ts";

/** Digits before the bytes: whose they are. */
const NAME_BYTES = 8;
const LARGEST = 900_000;
const NOTHING = Buffer.alloc(0);

/** What one end of a tunnel sends, so that the other can check it. */
export interface Sent {
  readonly number: number;
  readonly length: number;
  /** Whether all was sent and a FIN after it, or is going to be. */
  whole: boolean;
  /** Weir's end of its connection; `null` while it has none. */
  weir: Endpoint | null;
  /** Whether it ends by a reset: then nobody is told that all was there. */
  reset: boolean;
}

/** One end of a tunnel, a client or a backend: sends its bytes, checks the other's. */
export class TcpPeer implements Receiver {
  readonly #stage: Stage;
  readonly #dice: Dice;
  readonly #name: string;
  readonly #sent: Sent;
  /** Told the number of the other end when it is known; answers what that sends. */
  readonly #before: Buffer;
  readonly #meets: (number: number) => Sent | null;
  #connection: Connection | null = null;
  #script: Script | null = null;
  #other: Sent | null = null;
  #prefix: Buffer = Buffer.alloc(0);
  #got = 0;
  #over = false;
  #fin = false;

  constructor(
    stage: Stage,
    dice: Dice,
    name: string,
    sent: Sent,
    meets: (number: number) => Sent | null,
    before: Buffer = NOTHING,
  ) {
    this.#before = before;
    this.#stage = stage;
    this.#dice = dice;
    this.#name = name;
    this.#sent = sent;
    this.#meets = meets;
  }

  get settled(): boolean {
    return this.#over || this.#fin;
  }

  /** Told of Weir's end of its connection. */
  meetsWeir: (end: Endpoint) => void = () => {};

  opened(connection: Connection): void {
    this.#connection = connection;
    const weir = this.#stage.other(connection);
    this.meetsWeir(weir);
    this.#sent.weir = weir;
    const script = new Script(this.#stage.world, connection);
    this.#script = script;
    const sent = this.#sent;
    const prefix = Buffer.from(String(sent.number).padStart(NAME_BYTES, "0"));
    const bytes = Buffer.concat([this.#before, prefix, bodyBytes(sent.number, 0, sent.length)]);
    const { clientFaults } = this.#stage.setting;
    const aborts = this.#dice.permille(clientFaults.aborts);
    const stalls = this.#dice.permille(clientFaults.stalls);
    sent.reset = aborts;
    if (this.#dice.permille(clientFaults.stopsReading)) connection.pause();
    const cut = aborts || stalls ? this.#dice.below(bytes.length + 1) : bytes.length;
    if (this.#dice.oneIn(3)) script.add({ kind: "wait", ms: this.#dice.size(1, 500) });
    for (const step of inPieces(this.#dice, bytes.subarray(0, cut), drawPace(this.#dice))) script.add(step);
    if (aborts) script.add({ kind: "reset" });
    else if (!stalls) script.add({ kind: "do", act: () => (sent.whole = true) }, { kind: "finish" });
  }

  refused(): void {
    this.#over = true;
  }

  received(bytes: Buffer): void {
    let body = bytes;
    if (this.#other === null) {
      this.#prefix = Buffer.concat([this.#prefix, bytes]);
      if (this.#prefix.length < NAME_BYTES) return;
      this.#other = this.#meets(Number(this.#prefix.toString("latin1", 0, NAME_BYTES)));
      if (this.#other === null) {
        this.#connection?.terminate();
        return;
      }
      body = this.#prefix.subarray(NAME_BYTES);
    }
    const { world } = this.#stage;
    if (!isBody(this.#other.number, this.#got, body))
      world.violate(`${this.#name} gets other bytes than were sent, from ${this.#got} on`);
    this.#got += body.length;
    if (this.#dice.oneIn(10) && this.#connection !== null && !this.#over) {
      const connection = this.#connection;
      connection.pause();
      world.after(this.#dice.size(1, 100), () => connection.resume());
    }
  }

  drained(): void {
    this.#script?.run();
  }

  ended(): void {
    this.#end();
  }

  closed(error: Error | undefined): void {
    if (this.#over) return;
    // Not what it did itself.
    const { connection, stage } = { connection: this.#connection, stage: this.#stage };
    if (error === undefined && connection !== null && stage.own(connection).act === "") this.#end();
    this.#over = true;
    this.#script?.stop();
  }

  /** The other end says that this is all. */
  #end(): void {
    if (this.#fin) return;
    this.#fin = true;
    const { world, setting } = this.#stage;
    const other = this.#other;
    if (other === null || this.#connection === null || this.#stage.own(this.#connection).ateReset) return;
    const idle = setting.linkFaults.cut > 0 || isIdle(this.#sent.weir, other.weir, setting.idleMs);
    if (!idle && !(other.whole && this.#got === other.length))
      world.violate(`${this.#name} gets ${this.#got} bytes of ${other.length} as if that were all`);
  }
}

/** Whether Weir has closed a tunnel in which nothing moved for so long, by what passed on its own two ends: that looks like an end. */
function isIdle(near: Endpoint | null, far: Endpoint | null, idleMs: number): boolean {
  if (near === null || far === null || near.act !== "close") return false;
  return near.overAt - Math.max(near.movedAt, far.movedAt) >= idleMs;
}

/** Draws what one end sends. */
export function drawSent(dice: Dice, number: number): Sent {
  return {
    number,
    length: dice.oneIn(6) ? 0 : dice.size(1, dice.oneIn(4) ? LARGEST : 50_000),
    whole: false,
    weir: null,
    reset: false,
  };
}

/** Numbers of what clients and backends send after an upgrade begin here. */
const UPGRADED = { client: 200_000, backend: 300_000 };

/**
 * One end of a tunnel that an upgrade made: it knows who is to be at the other end.
 * @param request the request that was upgraded
 * @param executed the number that its backend gave it
 * @param before what it sends before the tunnel begins
 */
export function upgradedPeer(
  stage: Stage,
  dice: Dice,
  name: string,
  request: number,
  executed: number,
  end: "client" | "backend",
  before: Buffer = NOTHING,
): TcpPeer {
  const [own, other] =
    end === "client"
      ? [UPGRADED.client + request, UPGRADED.backend + executed]
      : [UPGRADED.backend + executed, UPGRADED.client + request];
  const sent = drawSent(dice, own);
  stage.sent.set(own, sent);
  const meets = (number: number): Sent | null => {
    if (number === other) return stage.sent.get(number) ?? null;
    stage.world.violate(`${name} is tied to ${number} instead of ${other}`);
    return null;
  };
  return new TcpPeer(stage, dice, name, sent, meets, before);
}
