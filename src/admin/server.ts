import { formatAddress } from "../address.ts";
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
   * Listens where a plan says, and nowhere else any more; the token is read anew. What is being answered is finished. Where it cannot, all
   * is as it was.
   * @throws ADMIN_ADDRESS_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED, ADMIN_TOKEN_UNSAFE
   */
  async listen(plan: AdminPlan | null): Promise<void> {
    const before = this.#at;
    const token = plan === null || plan.tokenFile === null ? null : readToken(plan.tokenFile);
    if (before !== null && plan !== null && Bun.deepEquals(before.plan.address, plan.address)) {
      before.guard.token = token;
      this.#at = { ...before, plan };
      return;
    }
    if (before === null && plan === null) return;
    this.#at = plan === null ? null : await this.#serve(plan, token);
    void before?.served.leave();
  }

  /** Listens no more, and leaves what is being answered some time. */
  async leave(): Promise<void> {
    this.#sampler.close();
    await this.#at?.served.leave();
  }

  /** Ends at once. */
  async close(): Promise<void> {
    this.#sampler.close();
    await this.#at?.served.close();
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
    const served = await serveHttp(plan.address, app);
    running.note("info", "admin bound", { address: formatAddress(served.address), token: token !== null });
    return { plan, guard, served };
  }
}
