import { first } from "./first.ts";
import { leastConnections } from "./least-connections.ts";
import { leastTime } from "./least-time.ts";
import { maglev } from "./maglev.ts";
import type { Policy } from "./policy.ts";
import { random } from "./random.ts";
import { rendezvous } from "./rendezvous.ts";
import { ring } from "./ring.ts";
import { roundRobin } from "./round-robin.ts";
import { twoChoices } from "./two-choices.ts";

function byName(...policies: readonly Policy[]): ReadonlyMap<string, Policy> {
  return new Map(policies.map((policy) => [policy.name, policy]));
}

/** Every policy by its name in the configuration, in the order of `docs/policies.md`. The only list of them. */
export const POLICIES: ReadonlyMap<string, Policy> = byName(
  roundRobin,
  random,
  leastConnections,
  twoChoices,
  first,
  leastTime,
  rendezvous,
  ring,
  maglev,
);

/** The policy of a pool that names none. A key of `POLICIES`. */
export const DEFAULT_POLICY = "round-robin";
