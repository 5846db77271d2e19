import type { WallClock } from "../clock.ts";
import { type HealthWords, keepsPinned } from "../observe/health-words.ts";
import type { AffinityPlan } from "../plan.ts";
import {
  type Affinity,
  AffinityValues,
  type Mac,
  type Pin,
  type PinExplained,
  type RequestFields,
} from "../pool/affinity.ts";
import { type CookieForm, setCookieLine } from "../pool/affinity-cookie.ts";
import { findCookie, type Range } from "./key-bytes.ts";

/** What the affinity of a pool is made of. */
export interface AffinityParts {
  readonly plan: Pick<AffinityPlan, "cookie" | "path" | "ttlSeconds">;
  readonly pool: string;
  /** What identifies the backends, in the order of the pool. */
  readonly backends: readonly string[];
  /** Under the secret of the plan. */
  readonly mac: Mac;
  readonly words: HealthWords;
  /** Rows of the backends in the words. */
  readonly rows: readonly number[];
  readonly clock: WallClock;
}

/** A line that sets a cookie, and the second that stands in it. */
interface Line {
  readonly seconds: number;
  readonly bytes: Buffer;
}

/** Filled anew for each cookie: one object for all. */
const FOUND: Range = { start: 0, end: 0 };

/**
 * Keeps clients at backends by a cookie that says which. Needs no table, so every worker and every Weir with the same secret knows
 * every client. A request costs a look-up of its cookie, a new client a buffer that all of its second share.
 */
export class CookieAffinity implements Affinity {
  readonly #name: Buffer;
  readonly #form: CookieForm;
  readonly #ttlSeconds: number | null;
  readonly #values: AffinityValues;
  readonly #words: HealthWords;
  readonly #rows: readonly number[];
  readonly #clock: WallClock;
  /** The latest line for each backend. */
  readonly #lines: (Line | undefined)[] = [];

  constructor({ plan, pool, backends, mac, words, rows, clock }: AffinityParts) {
    const { cookie, path, ttlSeconds } = plan;
    this.#name = Buffer.from(cookie, "latin1");
    // No listener speaks TLS yet; where one does, its responses need a form of their own.
    this.#form = { name: cookie, path, maxAgeSeconds: ttlSeconds, secure: false };
    this.#ttlSeconds = ttlSeconds;
    this.#values = new AffinityValues(mac, pool, backends);
    this.#words = words;
    this.#rows = rows;
    this.#clock = clock;
  }

  pinnedOf(request: RequestFields): number {
    const pin = this.#pinOf(request);
    return pin !== null && this.#keeps(pin.index) ? pin.index : -1;
  }

  fieldFor(request: RequestFields, index: number): Buffer | null {
    const pin = this.#pinOf(request);
    return pin !== null && pin.index === index && !this.#isAging(pin) ? null : this.#lineFor(index);
  }

  explain(request: RequestFields): PinExplained {
    const cookie = this.#form.name;
    const pinned = this.pinnedOf(request);
    const pin = this.#pinOf(request);
    if (pin !== null)
      return {
        cookie,
        named: pin.index,
        pinned,
        why: pinned === -1 ? "its backend takes no pinned clients just now" : "its backend takes it",
      };
    if (!findCookie(request, this.#name, FOUND))
      return { cookie, named: -1, pinned, why: "the request has no such cookie" };
    const read = this.#values.read(request.bytes.toString("latin1", FOUND.start, FOUND.end));
    if (read === null)
      return { cookie, named: -1, pinned, why: "not made with this secret for this pool, or its backend is gone" };
    return { cookie, named: read.index, pinned, why: `it expired: it is older than ${this.#ttlSeconds ?? 0} s` };
  }

  /** What the client's cookie says, if it is ours and has not expired. A client may send one after its time; the tag tells. */
  #pinOf(request: RequestFields): Pin | null {
    if (!findCookie(request, this.#name, FOUND)) return null;
    const pin = this.#values.read(request.bytes.toString("latin1", FOUND.start, FOUND.end));
    const ttl = this.#ttlSeconds;
    return pin === null || ttl === null || this.#seconds() - pin.issuedSeconds < ttl ? pin : null;
  }

  /** Whether less than half of its time is left. */
  #isAging({ issuedSeconds }: Pin): boolean {
    const ttl = this.#ttlSeconds;
    return ttl !== null && (this.#seconds() - issuedSeconds) * 2 > ttl;
  }

  /** Whether a backend takes the clients that are pinned to it. Two plain reads. */
  #keeps(index: number): boolean {
    return keepsPinned(this.#words.flags(this.#rows[index]!));
  }

  #lineFor(index: number): Buffer {
    const seconds = this.#seconds();
    const latest = this.#lines[index];
    if (latest?.seconds === seconds) return latest.bytes;
    const bytes = setCookieLine(this.#form, this.#values.write({ index, issuedSeconds: seconds }));
    this.#lines[index] = { seconds, bytes };
    return bytes;
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
