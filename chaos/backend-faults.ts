import type { Act, Fault } from "./fault.ts";
import { LANES } from "./stage.ts";
import type { Excuses } from "./verdict.ts";

/** What the load shows while nothing is wrong. */
const NOTHING: Fault = {
  name: "none",
  excuses: {},
  async happen({ load }) {
    await load.answered(200);
    return [];
  },
};

/** Kills the backends of these positions at one moment, leaves them dead for a while, and starts them again. */
function killed(name: string, positions: readonly (0 | 1 | 2 | 3)[], excuses: Excuses): Fault {
  return {
    name,
    excuses,
    async happen({ backends, load }, holdMs) {
      const victims = positions.map((position) => backends[position]);
      await Promise.all(victims.map((backend) => backend.kill()));
      await load.answered(100);
      await Bun.sleep(holdMs);
      await Promise.all(victims.map((backend) => backend.startAgain()));
      return [];
    },
  };
}

/** Stops a backend for at least so long, in which the system accepts for it, and continues it. */
function paused(leastMs: number, excuses: Excuses): Fault {
  return {
    name: "a backend paused and resumed",
    excuses,
    async happen({ backends: [, , victim] }, holdMs) {
      victim.pause();
      await Bun.sleep(Math.max(leastMs, holdMs));
      victim.resume();
      return [];
    },
  };
}

/** What a POST has to expect of a backend that dies while it works: nobody may send it twice. */
const POST_LOST = ["502 BACKEND_RESET"];
/** Of what is idempotent nothing. Each client has one request on its way at the most. */
export const LOST_BY_DEFAULT: Excuses = { other: POST_LOST, most: LANES };

/** Everything by default. */
export const DEFAULTS: Act = {
  name: "defaults",
  setting: {},
  faults: [
    NOTHING,
    // Nobody is told of it: what it has been sent is answered when it goes on, long before `timeouts.response`.
    paused(500, {}),
    killed("a backend killed and started", [2], LOST_BY_DEFAULT),
    killed("two of four killed and started", [0, 1], LOST_BY_DEFAULT),
    // More than `retry.attempts`: whoever meets the dead alone, before they are ejected, must come to the last one all the same.
    killed("all but one killed and started", [0, 1, 3], LOST_BY_DEFAULT),
  ],
};

const ATTEMPTS = 3;
/** For the machine that all of this runs on: a request that waited for the backend would be seen. */
const SLACK_MS = 500;

/**
 * A pool that does not wait for slow backends.
 * @param attemptMs longer than the machine itself ever stops: of a POST, which nobody sends twice, it would be seen
 * @param pauseMs how long a backend is paused: longer than a request waits for it and is answered by another one
 */
export function impatient(attemptMs: number, pauseMs: number): Act {
  return {
    name: "retry on reset and timeout",
    setting: {
      pool: {
        retry: {
          attempts: ATTEMPTS,
          on: ["connect-failure", "reset", "timeout"],
          perAttemptTimeout: `${attemptMs}ms`,
        },
      },
    },
    faults: [
      NOTHING,
      paused(pauseMs, { other: ["504 BACKEND_ATTEMPT_TIMEOUT"], longestMs: pauseMs - SLACK_MS }),
      killed("a backend killed and started", [2], { other: POST_LOST }),
      killed("two of four killed and started", [0, 1], { other: POST_LOST }),
      killed("all but one killed and started", [1, 2, 3], { other: POST_LOST }),
    ],
  };
}

export const IMPATIENT: Act = impatient(300, 3000);
