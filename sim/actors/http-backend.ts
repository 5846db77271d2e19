import type { Receiver } from "../../src/net/connection.ts";
import type { Dice } from "../dice.ts";
import { type Executed, type Flow, flowOf } from "../ledger.ts";
import type { Endpoint } from "../network/endpoint.ts";
import type { Stage } from "../stage.ts";
import { MessageReader, type ReadHead } from "./message-reader.ts";
import { isBody } from "./pool-bytes.ts";
import { REQUEST_BODIES } from "./request.ts";
import { type Answering, drawAnswer } from "./response.ts";
import { Script } from "./script.ts";
import { type TcpPeer, upgradedPeer } from "./tcp-peer.ts";

/** RFC 9110 §9.2.2, and what is not among them must not be repeated. */
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"]);

/**
 * What was begun when a backend leaves may reach it for so long: by a connection that was being dialled, over a slow link. Where there is no
 * other backend for what began before, that is also tried again there, until `drain.requests` ends.
 */
const LEAVING_MS = 4000;

/** A connection of a backend: answers requests, checks what it is sent, and misbehaves as its dice fall. */
export class HttpBackendConnection implements Receiver {
  readonly #stage: Stage;
  readonly #dice: Dice;
  readonly #backend: number;
  readonly #end: Endpoint;
  readonly #script: Script;
  readonly #reader: MessageReader = new MessageReader({
    head: (head) => this.#head(head),
    body: (bytes) => this.#body(bytes),
    end: () => this.#requestEnd(),
  });
  #executed: Executed | null = null;
  #answering: Answering | null = null;
  #flow: Flow | null = null;
  #requests = 0;
  #tunnel: TcpPeer | null = null;

  constructor(stage: Stage, dice: Dice, backend: number, end: Endpoint) {
    this.#stage = stage;
    this.#dice = dice;
    this.#backend = backend;
    this.#end = end;
    this.#script = new Script(stage.world, end);
  }

  opened(): void {}

  refused(): void {}

  received(bytes: Buffer): void {
    this.#reader.feed(bytes);
    if (this.#reader.problem !== "") {
      this.#stage.world.violate(`backend ${this.#backend} cannot read a request: ${this.#reader.problem}`);
      this.#end.terminate();
    }
    if (this.#dice.oneIn(12) && !this.#end.over) {
      this.#end.pause();
      this.#stage.world.after(this.#dice.size(1, 60), () => this.#end.resume());
    }
  }

  drained(): void {
    this.#script.run();
  }

  ended(): void {
    this.#script.stop();
    this.#end.close();
  }

  closed(): void {
    this.#script.stop();
    this.#endFlow();
  }

  #head({ line, fields }: ReadHead): "as told" | "tunnel" {
    const { world, ledger, setting } = this.#stage;
    const [method = "", target = ""] = line.split(" ");
    const id = Number(fields.get("x-id"));
    world.note(() => `backend ${this.#backend} sees ${method} ${id}`);
    if (!target.startsWith(`/request/${id}?`))
      world.violate(`backend ${this.#backend} sees the head of another request: ${line}`);
    if (this.#executed !== null && !this.#executed.finished && !this.#end.other.confused)
      world.violate(`backend ${this.#backend} is sent ${id} while it still answers ${this.#executed.id}`);
    this.#checkLeft(id);
    this.#requests += 1;
    const executed = ledger.execute(id, this.#backend, IDEMPOTENT.has(method));
    this.#executed = executed;
    this.#endFlow();
    if (this.#end.other.confused) {
      // What it said beyond its answer is now taken for the answer to this: it goes away before more of the kind follows.
      this.#script.stop();
      this.#end.terminate();
      return "as told";
    }
    const asked = ledger.asked.get(id);
    const answering = drawAnswer(this.#stage, this.#dice, executed, method);
    const client = asked === undefined ? undefined : ledger.ends.get(asked.client);
    if (asked !== undefined && client !== undefined) {
      this.#flow = flowOf(`request ${id}`, this.#end.other, client, asked.framing + answering.framing);
      ledger.flows.add(this.#flow);
    }
    this.#answering = answering;
    if (this.#dice.permille(setting.backendFaults.stopsReading) && (asked?.length ?? 0) > 0) this.#end.pause();
    if (fields.get("upgrade") === "sim" && answering.end === "" && this.#dice.oneIn(2)) {
      this.#upgrade(executed);
      return "tunnel";
    }
    if (fields.get("expect") === "100-continue" && this.#dice.oneIn(2))
      this.#script.add({
        kind: "send",
        bytes: Buffer.from(`HTTP/1.1 100 Continue\r\nX-Exec: ${executed.number}\r\n\r\n`),
      });
    if (answering.early) this.#answer();
    return "as told";
  }

  /** What begins when a backend has left goes elsewhere. */
  #checkLeft(id: number): void {
    const { world, ledger, setting } = this.#stage;
    const leftAt = ledger.left.get(this.#backend) ?? Number.POSITIVE_INFINITY;
    const leftMs = world.now - leftAt;
    const mostMs = LEAVING_MS + (ledger.stranded.has(this.#backend) ? setting.plan.drain.requestsMs : 0);
    const late = leftMs > mostMs || (ledger.asked.get(id)?.begunMs ?? 0) > leftAt;
    if (late)
      world.violate(`backend ${this.#backend} sees request ${id} ${leftMs.toFixed(0)} ms after it has left the plan`);
  }

  /** From here on it is the backend's end of a tunnel. */
  #upgrade(executed: Executed): void {
    executed.status = 101;
    executed.finished = true;
    this.#answering = null;
    this.#endFlow();
    const head = Buffer.from(
      `HTTP/1.1 101 Switching Protocols\r\nX-Exec: ${executed.number}\r\nConnection: Upgrade\r\nUpgrade: sim\r\n\r\n`,
    );
    const { id, number } = executed;
    const tunnel = upgradedPeer(
      this.#stage,
      this.#dice,
      `backend ${this.#backend} upgraded`,
      id,
      number,
      "backend",
      head,
    );
    this.#tunnel = tunnel;
    this.#end.data = tunnel;
    tunnel.opened(this.#end);
  }

  #body(bytes: Buffer): void {
    if (this.#tunnel !== null) {
      this.#tunnel.received(bytes);
      return;
    }
    const executed = this.#executed;
    if (executed === null) return;
    if (!isBody(REQUEST_BODIES + executed.id, executed.received, bytes) && !this.#isFoul(executed.id))
      this.#stage.world.violate(
        `request ${executed.id} comes with other bytes than were sent, from ${executed.received} on`,
      );
    executed.received += bytes.length;
  }

  #requestEnd(): void {
    const executed = this.#executed;
    if (executed === null) return;
    const length = this.#stage.ledger.asked.get(executed.id)?.length ?? 0;
    if (executed.received !== length && !this.#isFoul(executed.id))
      this.#stage.world.violate(
        `request ${executed.id} comes with ${executed.received} bytes of ${length}, as if that were all`,
      );
    if (this.#answering?.early === false) this.#answer();
  }

  #isFoul(id: number): boolean {
    return this.#stage.ledger.asked.get(id)?.foul !== false;
  }

  #answer(): void {
    const executed = this.#executed;
    const answering = this.#answering;
    this.#answering = null;
    if (executed === null || answering === null) return;
    this.#script.add(...answering.steps);
    this.#script.add({
      kind: "do",
      act: () => {
        executed.finished = answering.finishes;
        this.#endFlow();
        if (answering.beyond > 0) this.#talkOn(answering.beyond);
        if (answering.idleMs >= 0) this.#closeIfIdle(answering.idleMs);
      },
    });
    if (answering.end !== "") this.#script.add({ kind: answering.end });
  }

  /** All that comes after what was asked for: Weir must not use the connection once it has seen any of it. */
  #talkOn(length: number): void {
    const weir = this.#end.other;
    // What is still on the way belongs to the answer.
    weir.dirtyBeyond = this.#end.taken;
    const stray = this.#stage.ledger.stray(this.#backend);
    this.#script.add({
      kind: "send",
      bytes: Buffer.from(
        `HTTP/1.1 200 OK\r\nX-Exec: ${stray.number}\r\nContent-Length: 0\r\nX-Filler: ${"s".repeat(length)}\r\n\r\n`,
      ),
    });
  }

  #closeIfIdle(afterMs: number): void {
    const requests = this.#requests;
    this.#stage.world.after(afterMs, () => {
      // As real ones do it: without a look at what may be on its way.
      if (this.#requests === requests && !this.#end.over) this.#end.close();
    });
  }

  #endFlow(): void {
    if (this.#flow !== null) this.#stage.ledger.flows.delete(this.#flow);
    this.#flow = null;
  }
}
