import { DEFAULTS, IMPATIENT } from "./backend-faults.ts";
import type { Act } from "./fault.ts";
import { CLOCK, NAMES } from "./outside-faults.ts";
import { LOGS, PROCESSES } from "./process-faults.ts";

/** Everything that goes wrong, in the order in which it is played. */
export const ACTS: readonly Act[] = [DEFAULTS, IMPATIENT, PROCESSES, LOGS, CLOCK, NAMES];
