import { parseDuration } from "../units.ts";
import type { DemoBackend } from "./demo-backends.ts";
import { usage } from "./command.ts";

const ACTS = ["slow", "fast", "stop", "start"] as const;

/** What may be done to a backend of the demo. */
export type Act = (typeof ACTS)[number];

/** Something that is done to a backend at a time. */
export interface Step {
  /** From the beginning on, in milliseconds. */
  readonly atMs: number;
  readonly act: Act;
  /** Number of the backend, from 1. */
  readonly backend: number;
}

/**
 * Reads `3s:slow:2,8s:stop:1,12s:start:1`.
 * @throws CLI_USAGE
 */
export function stepsOf(text: string, backends: number): Step[] {
  return text.split(",").map((part) => {
    const [at = "", word = "", number = "", ...rest] = part.trim().split(":");
    const act = ACTS.find((each) => each === word);
    const backend = Number(number);
    const wrong = act === undefined || rest.length > 0 || !/^\d+$/.test(number) || backend < 1 || backend > backends;
    try {
      if (!wrong) return { atMs: parseDuration(at), act, backend };
    } catch {
      // Said below, with the whole step.
    }
    throw usage(
      `--play takes steps such as 3s:slow:2 (${ACTS.join(", ")}; backends 1 to ${backends}), not "${part}"`,
      "demo",
    );
  });
}

/** Does it. @returns what has been done, in words */
export async function perform(act: Act, backend: DemoBackend): Promise<string> {
  switch (act) {
    case "slow":
      backend.setSlow(true);
      return "is slow now";
    case "fast":
      backend.setSlow(false);
      return "is fast again";
    case "stop":
      await backend.stop();
      return "has stopped";
    case "start":
      backend.start();
      return "runs again";
  }
}
