import { createHash, timingSafeEqual } from "node:crypto";
import { formatAddress } from "../address.ts";
import { FIELD } from "../http/fields.ts";
import type { Head } from "../http/head.ts";
import type { Origin } from "../http/streams.ts";
import type { ExplainedRequest, Explaining } from "../proxy/explaining.ts";
import { explainRequest } from "./explain.ts";
import { explainLine } from "./explain-line.ts";
import type { LiveParts } from "./live-parts.ts";

/**
 * Explains the requests of one listener that show the token of the plan in force. Asked only for a request that has the field, and so
 * made whether `explain` is configured or not: a new plan needs no change here.
 */
export class ExplainRequests implements Explaining {
  readonly #listener: string;
  readonly #live: () => LiveParts;
  #token = "";
  #digest: Buffer = digest("");

  /** @param listener its name */
  constructor(listener: string, live: () => LiveParts) {
    this.#listener = listener;
    this.#live = live;
  }

  of(request: Head, origin: Origin): ExplainedRequest | null {
    const live = this.#live();
    const token = live.plan.explain?.token ?? null;
    if (token === null || !this.#shows(request, token)) return null;
    const listener = live.plan.listeners.find(({ name }) => name === this.#listener);
    // The listener is going, and the plan in force knows nothing of its routes.
    if (listener === undefined) return null;
    const place = {
      name: listener.name,
      address: formatAddress(listener.address),
      mode: listener.mode,
      why: "the request came there",
    };
    const explained = explainRequest(live, listener, place, request, origin);
    const pool = live.plan.pools.find(({ name }) => name === explained.pool?.name);
    return { line: (answered) => explainLine(explained, pool?.backends[answered]?.id ?? null) };
  }

  /** How long it takes says nothing of the token: hashes of one length are compared. */
  #shows(request: Head, token: string): boolean {
    if (token !== this.#token) {
      this.#token = token;
      this.#digest = digest(token);
    }
    const field = request.find(FIELD.weirExplain);
    if (field === -1) return false;
    return timingSafeEqual(digest(request.text(request.valueStart(field), request.valueEnd(field))), this.#digest);
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "latin1").digest();
}
