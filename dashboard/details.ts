import type { PoolView } from "../src/admin/model.ts";
import { readPool } from "./api.ts";

/** How often what ticks do not tell is asked for, in milliseconds: reasons and probes change slowly. */
const EVERY_MS = 4000;
/** After a change of state or a write, and never more often than this. */
const SOON_MS = 250;

/** Asks for everything about the pool that is looked at, now and then and after changes; one request at a time. */
export class Details {
  readonly #told: (view: PoolView) => void;
  #pool = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #again = false;

  constructor(told: (view: PoolView) => void) {
    this.#told = told;
    document.addEventListener("visibilitychange", () => this.soon());
  }

  /** Looks at this pool from now on. */
  follow(pool: string): void {
    if (pool === this.#pool) return;
    this.#pool = pool;
    this.soon();
  }

  /** Something has changed. */
  soon(): void {
    this.#again = this.#asking;
    this.#plan(SOON_MS);
  }

  #plan(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), waitMs);
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#pool === "" || document.hidden) return;
    this.#asking = true;
    const answer = await readPool(this.#pool);
    this.#asking = false;
    if ("value" in answer) this.#told(answer.value);
    this.#plan(this.#again ? SOON_MS : EVERY_MS);
    this.#again = false;
  }
}
