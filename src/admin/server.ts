import { type Address, formatAddress } from "../address.ts";
import { WeirError } from "../errors.ts";
import type { AdminPlan } from "../plan.ts";
import { createApp } from "./app.ts";
import { Guard } from "./guard.ts";
import { LiveFeed } from "./live.ts";
import { openPaths } from "./open-paths.ts";
import { resources } from "./resources.ts";
import type { Running } from "./running.ts";
import { Sampler } from "./sampler.ts";
import { type Served, serveHttp } from "./serve.ts";
import { readToken } from "./token.ts";

interface At {
  readonly plan: AdminPlan;
  readonly guard: Guard;
  readonly served: Served;
  /** Has it answer. */
  open(): void;
}

/** Where the admin API is about to listen. One of the two is to be called, once. */
export interface AdminChange {
  /** Listens there and nowhere else. */
  commit(): void;
  /** All is as it was. */
  abandon(): void;
}

/** The admin API of a running Weir, wherever its plan has it listen. */
export class AdminServer {
  readonly #running: Running;
  readonly #sampler: Sampler;
  readonly #live: LiveFeed;
  #at: At | null = null;

  constructor(running: Running) {
    this.#running = running;
    this.#sampler = new Sampler(running);
    this.#live = new LiveFeed(running);
  }

  /**
   * Makes ready to listen where a plan says, and nowhere else any more; the token is read anew. What is bound answers once that is in force,
   * and not before. One change at a time.
   * @throws ADMIN_ADDRESS_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, ADMIN_TOKEN_UNSAFE; all is as it was then
   */
  async prepare(plan: AdminPlan | null): Promise<AdminChange> {
    const before = this.#at;
    const token = plan === null || plan.tokenFile === null ? null : readToken(plan.tokenFile);
    if (before !== null && plan !== null && listensAt(before, plan.address)) {
      return {
        commit: () => {
          before.guard.token = token;
          this.#at = { ...before, plan };
        },
        abandon() {},
      };
    }
    const next =
      plan === null
        ? null
        : await this.#serve(plan, token).catch((error: unknown) => {
            throw before !== null && overlaps(before.served.address, plan.address)
              ? inOwnWay(before, plan, error)
              : error;
          });
    return {
      commit: () => {
        this.#at = next;
        next?.open();
        // What is being answered is finished.
        if (before !== null) void this.#ended(before, before.served.leave());
      },
      abandon: () => {
        if (next !== null) void this.#ended(next, next.served.close());
      },
    };
  }

  /** Listens no more, and leaves what is being answered some time. Never fails. */
  async leave(): Promise<void> {
    this.#sampler.close();
    if (this.#at !== null) await this.#ended(this.#at, this.#at.served.leave());
  }

  /** Ends at once. Never fails. */
  async close(): Promise<void> {
    this.#sampler.close();
    if (this.#at !== null) await this.#ended(this.#at, this.#at.served.close());
  }

  /** Waits for a server to end. That its file stays keeps nothing else from ending, and nobody from listening there next. */
  async #ended({ served }: At, end: Promise<void>): Promise<void> {
    await end.catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#running.note("warn", "admin not removed", { address: formatAddress(served.address), reason });
    });
  }

  async #serve(plan: AdminPlan, token: string | null): Promise<At> {
    const running = this.#running;
    const guard = new Guard({ address: plan.address, running }, token);
    const app = createApp({
      running,
      sampler: this.#sampler,
      guard,
      resources: resources(this.#live),
      open: openPaths(running),
      metrics: async (exclude) => (await import("./metrics-answer.ts")).metricsAnswer(running, exclude),
    });
    const opened = Promise.withResolvers<void>();
    const served = await serveHttp(plan.address, async (request, who) => {
      await opened.promise;
      return app(request, who);
    });
    const open = (): void => {
      running.note("info", "admin bound", { address: formatAddress(served.address), token: token !== null });
      opened.resolve();
    };
    return { plan, guard, served, open };
  }
}

/** Whether it listens there already: where that was asked for, or by the port that the system chose. */
function listensAt({ plan, served }: At, address: Address): boolean {
  return Bun.deepEquals(plan.address, address) || Bun.deepEquals(served.address, address);
}

/** Whether two addresses may be one too many for the system: of one port, one for all interfaces takes in the others. */
function overlaps(before: Address, after: Address): boolean {
  return before.kind === "tcp" && after.kind === "tcp" && before.port === after.port;
}

/** It is this very API that is in the way, until the other one is in force. */
function inOwnWay({ served }: At, plan: AdminPlan, error: unknown): unknown {
  if (!(error instanceof WeirError && error.code === "ADMIN_ADDRESS_IN_USE")) return error;
  const [from, to] = [formatAddress(served.address), formatAddress(plan.address)];
  const detail = `${to} cannot be bound while the admin API is at ${from}: take another port, or have it off in between`;
  return new WeirError("ADMIN_ADDRESS_IN_USE", detail, error);
}
