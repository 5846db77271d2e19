import type { Endpoint } from "./network/endpoint.ts";
import type { World } from "./world.ts";

/** A request that a client means to make. */
export interface Asked {
  readonly id: number;
  readonly method: string;
  /** Bytes of its body. */
  readonly length: number;
  readonly client: number;
  /** Bytes of the framing of its body. */
  framing: number;
  /** Whether the client itself breaks its rules in this one, so that anything may become of it. */
  readonly foul: boolean;
  /** When its client began to send it; infinite while it has not. */
  begunMs: number;
  /** Whether all of it has been handed to the system. */
  sent: boolean;
  /** What became of it. */
  outcome: "" | "answered" | "refused by weir" | "broken" | "unanswered";
}

/** One time that a backend saw the head of a request. */
export interface Executed {
  /** Also the number of its response's body. */
  readonly number: number;
  readonly id: number;
  readonly backend: number;
  status: number;
  /** Bytes of the response's body. */
  length: number;
  /** Whether the backend ended the response as HTTP has it: only then may a client hold it to be complete. */
  finished: boolean;
  /** Bytes of the request's body that came. */
  received: number;
  /** More than was asked for: nothing can tell it from an answer if it comes when the next request is already on its way. */
  stray: boolean;
}

/** What Weir holds of one exchange while a backend works on it: what came from one side and has not gone to the other. */
export interface Flow {
  readonly what: string;
  readonly backend: Endpoint;
  readonly client: Endpoint;
  /** Bytes that come and do not go on: framing of bodies, which Weir makes anew. */
  readonly framing: number;
  /** What had passed on either end when it began. */
  readonly before: readonly [fromBackend: number, toClient: number, fromClient: number, toBackend: number];
}

/** What a flow begins with. */
export function flowOf(what: string, backend: Endpoint, client: Endpoint, framing: number): Flow {
  return { what, backend, client, framing, before: [backend.delivered, client.taken, client.delivered, backend.taken] };
}

/** All that clients asked and backends did: what either side sees is held against what the other did. */
export class Ledger {
  readonly #world: World;
  readonly asked: Map<number, Asked> = new Map();
  readonly executed: Executed[] = [];
  /** Times that each request's head was seen. */
  readonly #seen: Map<number, number> = new Map();
  /** Codes of the errors that clients were answered with. */
  readonly codes: Map<string, number> = new Map();
  /** Weir's end of the connection of each client, by its number: what it holds for it is known from that. */
  readonly ends: Map<number, Endpoint> = new Map();
  /** Since when a backend, by its number, is in no plan of any worker: it gets no new work. */
  readonly left: Map<number, number> = new Map();
  /** Of those, backends of a former plan of which no backend is left: what began under it has nowhere else to go. */
  readonly stranded: Set<number> = new Set();
  /** Under way. */
  readonly flows: Set<Flow> = new Set();
  #requests = 0;

  constructor(world: World) {
    this.#world = world;
  }

  ask(request: Omit<Asked, "id" | "framing" | "begunMs" | "sent" | "outcome">): Asked {
    const begunMs = Number.POSITIVE_INFINITY;
    const asked: Asked = { ...request, id: ++this.#requests, framing: 0, begunMs, sent: false, outcome: "" };
    this.asked.set(asked.id, asked);
    return asked;
  }

  /**
   * A backend sees the head of a request.
   * @param idempotent whether it may be seen twice (RFC 9110 §9.2.2)
   */
  execute(id: number, backend: number, idempotent: boolean): Executed {
    const times = (this.#seen.get(id) ?? 0) + 1;
    this.#seen.set(id, times);
    if (!this.asked.has(id)) this.#world.violate(`backend ${backend} sees request ${id}, which nobody made`);
    if (times > 1 && !idempotent)
      this.#world.violate(`request ${id} must not be repeated and reached backends ${times} times`);
    const executed = this.#made(id, backend);
    this.executed.push(executed);
    return executed;
  }

  /** A backend sends a response that nobody asked for. */
  stray(backend: number): Executed {
    const executed: Executed = { ...this.#made(0, backend), stray: true, finished: true };
    this.executed.push(executed);
    return executed;
  }

  #made(id: number, backend: number): Executed {
    return {
      number: this.executed.length + 1,
      id,
      backend,
      status: 0,
      length: 0,
      finished: false,
      received: 0,
      stray: false,
    };
  }

  /** A response of a backend by the number that it bears. */
  response(number: number): Executed | undefined {
    return this.executed[number - 1];
  }

  count(code: string): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }
}
