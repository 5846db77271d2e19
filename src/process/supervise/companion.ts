import type { Plan } from "../../plan.ts";

/** What goes by the plan outside the workers, and is in force with the rest of it or not at all. */
export interface Companion {
  /**
   * Makes ready what a plan asks for beside what is in force.
   * @throws what keeps it from that: the plan is refused, and nothing has changed
   */
  prepare(plan: Plan): Promise<CompanionChange>;
}

/** What is ready. One of the two is to be called, once. */
export interface CompanionChange {
  /** The plan is in force. */
  commit(): void;
  /** It will not be. */
  abandon(): void;
}

/** Where nothing goes along. */
export const alone: Companion = {
  prepare: async () => ({ commit() {}, abandon() {} }),
};
