import type { Receiver, Connection } from "../../src/net/connection.ts";
import type { Dice } from "../dice.ts";
import type { Asked, Executed } from "../ledger.ts";
import type { Setting } from "../setting.ts";
import type { Stage } from "../stage.ts";
import { MessageReader, type ReadHead } from "./message-reader.ts";
import { drawPace, inPieces } from "./pieces.ts";
import { isBody } from "./pool-bytes.ts";
import { drawRequest, type Request } from "./request.ts";
import { Script } from "./script.ts";
import { type TcpPeer, upgradedPeer } from "./tcp-peer.ts";

/** A response as far as it has come. */
interface Answer {
  readonly asked: Asked;
  /** What a backend did for it; `null` for an answer of Weir's own. */
  readonly executed: Executed | null;
  readonly interim: boolean;
  bytes: number;
}

/** Where some clients share addresses, so many there are. */
const SHARED_ADDRESSES = 3;

/** A client's address. Where these are counted several clients have one. */
export function sourceOf({ crowded }: Setting, client: number): string {
  return `10.1.0.${crowded ? client % SHARED_ADDRESSES : client}`;
}

/** A client: some requests on one connection, and an eye on every byte that comes back. */
export class HttpClient implements Receiver {
  readonly #stage: Stage;
  readonly #dice: Dice;
  readonly #number: number;
  readonly #pipelines: boolean;
  readonly #requests: Request[];
  /** Asked and not answered yet, in order. */
  readonly #waiting: Asked[] = [];
  readonly #reader: MessageReader = new MessageReader({
    head: (head) => this.#head(head),
    body: (bytes) => this.#body(bytes),
    end: (trailers) => this.#end(trailers),
  });
  #next = 0;
  #connection: Connection | null = null;
  #script: Script | null = null;
  #answer: Answer | null = null;
  #tunnel: TcpPeer | null = null;
  #over = false;
  /** When something last came or was taken. */
  #progress = 0;

  constructor(stage: Stage, dice: Dice, number: number) {
    this.#stage = stage;
    this.#dice = dice;
    this.#number = number;
    const old = dice.oneIn(8);
    this.#pipelines = !old && dice.oneIn(3);
    const count = old ? 1 : dice.size(1, 10);
    this.#requests = Array.from({ length: count }, (_, index) =>
      drawRequest(stage, dice, number, old, index === count - 1),
    );
  }

  start(): void {
    const { network, address } = this.#stage;
    network.reach(address, sourceOf(this.#stage.setting, this.#number), this);
  }

  /** Whether nothing more is to be expected of it: called when all has come to rest. */
  get settled(): boolean {
    return this.#over || this.#tunnel?.settled === true;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.#script = new Script(this.#stage.world, connection);
    this.#stage.ledger.ends.set(this.#number, this.#stage.other(connection));
    this.#progress = this.#stage.world.now;
    if (this.#dice.permille(this.#stage.setting.clientFaults.stopsReading)) connection.pause();
    this.#ask();
  }

  refused(): void {
    this.#over = true;
  }

  received(bytes: Buffer): void {
    this.#progress = this.#stage.world.now;
    this.#reader.feed(bytes);
    if (this.#reader.problem !== "") {
      const foul = this.#answer?.executed === null;
      this.#stage.world.violate(
        `client ${this.#number} cannot read a response${foul ? " of Weir" : ""}: ${this.#reader.problem}`,
      );
      this.#connection?.terminate();
      return;
    }
    // Reads no further for a while.
    if (this.#dice.oneIn(10) && this.#connection !== null && !this.#over) {
      const connection = this.#connection;
      connection.pause();
      this.#stage.world.after(this.#dice.size(1, 100), () => connection.resume());
    }
  }

  drained(): void {
    this.#progress = this.#stage.world.now;
    this.#script?.run();
  }

  ended(): void {
    if (this.#connection !== null && !this.#stage.own(this.#connection).ateReset) this.#reader.finish();
    this.#leave();
    this.#connection?.close();
  }

  closed(): void {
    this.#leave();
  }

  // What it sends.

  #ask(): void {
    const script = this.#script;
    const request = this.#requests[this.#next];
    if (script === null || request === undefined || this.#over) return;
    this.#next += 1;
    const { world, setting } = this.#stage;
    const dawdles = this.#next > 1 && this.#dice.permille(setting.clientFaults.dawdles);
    const think = this.#dice.oneIn(2) ? 0 : this.#dice.size(0, 1500);
    if (dawdles || think > 0) script.add({ kind: "wait", ms: dawdles ? setting.longestMs : think });
    script.add({
      kind: "do",
      act: () => {
        this.#waiting.push(request.asked);
        request.asked.begunMs = world.now;
        this.#progress = world.now;
        world.note(
          () =>
            `client ${this.#number} asks ${request.asked.method} ${request.asked.id}, ${request.bytes.length} bytes`,
        );
      },
    });
    const { bytes, pauseAfter, pauseMs } = request;
    if (pauseAfter > 0)
      script.add({ kind: "send", bytes: bytes.subarray(0, pauseAfter) }, { kind: "wait", ms: pauseMs });
    script.add(...inPieces(this.#dice, bytes.subarray(pauseAfter), drawPace(this.#dice)));
    script.add({
      kind: "do",
      act: () => {
        request.asked.sent = true;
        this.#progress = world.now;
      },
    });
    if (request.ends !== "") {
      // Somewhere on the way of the answer, or long after it.
      script.add({ kind: "wait", ms: this.#dice.size(0, 500) }, { kind: request.ends });
    } else if (this.#pipelines) this.#ask();
  }

  /** An answer is complete: the next request, or the end. */
  #onwards(): void {
    // Of a pipelining one some may be planned and not begun.
    if (this.#waiting.length > 0 || this.#script?.done !== true || this.#over) return;
    if (this.#next < this.#requests.length) {
      if (!this.#pipelines) this.#ask();
    } else if (!this.#requests.some(({ ends }) => ends !== "") && this.#dice.oneIn(2)) {
      // The other half waits until Weir closes.
      this.#stage.world.after(this.#dice.size(0, 300), () => this.#connection?.close());
    }
  }

  // What comes back.

  #head({ line, fields }: ReadHead): "no body" | "as told" | "until close" | "tunnel" {
    const { world, ledger } = this.#stage;
    const status = Number(/^HTTP\/1\.1 (\d\d\d)/.exec(line)?.[1] ?? 0);
    const asked = this.#waiting[0];
    if (asked === undefined || status === 0) {
      world.violate(`client ${this.#number} gets ${JSON.stringify(line)} and asked for nothing`);
      return "no body";
    }
    const interim = status < 200;
    // Weir says on a backend's response too why it did not try again; an error is one of its own.
    const own = fields.get("proxy-status")?.startsWith("weir; error=") === true;
    world.note(
      () => `client ${this.#number} gets ${status} for ${asked.id}${own ? ` ${fields.get("proxy-status")}` : ""}`,
    );
    let executed: Executed | null = null;
    if (own) this.#refusal(asked, fields.get("proxy-status") ?? "");
    else {
      executed = ledger.response(Number(fields.get("x-exec"))) ?? null;
      if (executed === null) this.#nobodys(asked, line, status);
      else if (!executed.stray && (executed.id !== asked.id || (!interim && executed.status !== status)))
        world.violate(`request ${asked.id} is given ${status}, the answer to request ${executed.id}`);
    }
    if (status === 101 && executed !== null) {
      this.#upgrade(asked, executed);
      return "tunnel";
    }
    this.#answer = { asked, executed, interim, bytes: 0 };
    if (interim || asked.method === "HEAD" || status === 204 || status === 304) return "no body";
    return "until close";
  }

  /** Weir answers itself: for a reason that there is in this run. */
  #refusal(asked: Asked, proxyStatus: string): void {
    const { ledger, setting, world } = this.#stage;
    const code = /details="([A-Z_]+)/.exec(proxyStatus)?.[1] ?? "";
    ledger.count(code);
    if (setting.mayRefuse(asked, code)) return;
    world.violate(`request ${asked.id} (${asked.method}) is refused without need: ${proxyStatus}`);
  }

  /** A response without the name of the backend that made it. One that babbles may hit on an upgrade that was asked for. */
  #nobodys(asked: Asked, line: string, status: number): void {
    const { world, setting } = this.#stage;
    if (status !== 101 || setting.backendFaults.babbles === 0)
      world.violate(`request ${asked.id} is answered by nobody: ${line}`);
    this.#connection?.terminate();
  }

  /** From here on it is the client's end of a tunnel. */
  #upgrade(asked: Asked, executed: Executed): void {
    const connection = this.#connection;
    if (connection === null) return;
    asked.outcome = "answered";
    this.#waiting.shift();
    this.#script?.stop();
    this.#tunnel = upgradedPeer(
      this.#stage,
      this.#dice,
      `client ${this.#number} upgraded`,
      asked.id,
      executed.number,
      "client",
    );
    connection.data = this.#tunnel;
    this.#tunnel.opened(connection);
  }

  #body(bytes: Buffer): void {
    if (this.#tunnel !== null) this.#tunnel.received(bytes);
    const answer = this.#answer;
    if (answer === null) return;
    const { executed, asked } = answer;
    if (executed !== null && !isBody(executed.number, answer.bytes, bytes))
      this.#stage.world.violate(
        `request ${asked.id} is given other bytes than its backend sent, from ${answer.bytes} on`,
      );
    answer.bytes += bytes.length;
  }

  #end(trailers: ReadonlyMap<string, string>): void {
    const answer = this.#answer;
    this.#answer = null;
    if (answer === null || answer.interim) return;
    const { asked, executed } = answer;
    this.#waiting.shift();
    asked.outcome = executed === null ? "refused by weir" : "answered";
    if (executed !== null) this.#complete(asked, executed, answer.bytes, trailers);
    this.#judge();
    this.#onwards();
  }

  #complete(asked: Asked, executed: Executed, bytes: number, trailers: ReadonlyMap<string, string>): void {
    const { world } = this.#stage;
    const hasBody = asked.method !== "HEAD" && executed.status !== 204 && executed.status !== 304;
    const whole = hasBody ? executed.length : 0;
    if (!executed.finished)
      world.violate(`request ${asked.id} is given ${bytes} bytes as if that were all; its backend broke off`);
    else if (bytes !== whole) world.violate(`request ${asked.id} is given ${bytes} bytes of ${whole}`);
    const trailer = trailers.get("x-end");
    if (trailer !== undefined && Number(trailer) !== executed.number)
      world.violate(`request ${asked.id} is given a trailer of another`);
  }

  /** Whether the wait for what now happened was within the deadlines. */
  #judge(): void {
    const { world, setting } = this.#stage;
    const waited = world.now - this.#progress;
    const severed = this.#connection !== null && this.#stage.other(this.#connection).severed;
    if (waited > setting.longestMs && !severed && !setting.crowded)
      world.violate(`client ${this.#number} waited ${waited.toFixed(0)} ms`);
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#script?.stop();
    this.#judge();
    for (const [index, asked] of this.#waiting.entries()) {
      asked.outcome = index === 0 && (this.#answer !== null || this.#reader.within) ? "broken" : "unanswered";
    }
  }
}
