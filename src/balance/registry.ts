import { first } from "./first.ts";
import { leastConnections } from "./least-connections.ts";
import type { Policy } from "./policy.ts";
import { random } from "./random.ts";
import { roundRobin } from "./round-robin.ts";
import { twoChoices } from "./two-choices.ts";

const all: readonly Policy[] = [roundRobin, random, leastConnections, twoChoices, first];

/** Every policy by its name in the configuration, in the order of `docs/policies.md`. The only list of them. */
export const POLICIES: ReadonlyMap<string, Policy> = new Map(all.map((policy) => [policy.name, policy]));

/** The policy of a pool that names none. A key of `POLICIES`. */
export const DEFAULT_POLICY = "round-robin";
