import type { Config } from "../src/config/schema/schema.ts";
import type { Dice } from "./dice.ts";

type PoolConfig = Config["pools"][string];
type ProbeConfig = NonNullable<Exclude<PoolConfig["health"], string | undefined>["probe"]>;

/**
 * Draws what a pool does beyond forwarding: further attempts, second attempts, a bound with a queue, clients kept at a backend. Most runs
 * have little of it. A feature that may turn a request away is given room enough where nobody does anything wrong.
 */
export function drawFeatures(dice: Dice, mode: "http" | "tcp", foul: boolean): Partial<PoolConfig> {
  const http = mode === "http";
  return {
    ...(dice.oneIn(3) ? { retry: drawRetry(dice, http, foul) } : {}),
    ...(http && dice.oneIn(5)
      ? {
          hedge: {
            after: dice.oneIn(2) ? "p90" : dice.size(1, 300),
            budget: 0.5,
          },
        }
      : {}),
    ...(http && dice.oneIn(6) ? { affinity: { secret: "a secret of the simulation" } } : {}),
    ...(dice.oneIn(4) ? { limits: drawBounds(dice, http, foul) } : {}),
  };
}

/** Draws how Weir learns which backends are well. Where nobody does anything wrong, probes say so too. */
export function drawHealth(dice: Dice, mode: "http" | "tcp", foul: boolean): Partial<PoolConfig> {
  const probe = dice.oneIn(4) ? drawProbe(dice, mode) : null;
  const passive = foul && dice.oneIn(2);
  if (probe === null && !passive) return {};
  return {
    health: {
      ...(probe === null ? {} : { probe }),
      ...(passive
        ? {
            passive: { failures: dice.between(1, 5), eject: dice.size(300, 5000) },
          }
        : {}),
      panicBelow: dice.pick([0, 0.5, 1]),
    },
  };
}

function drawProbe(dice: Dice, mode: "http" | "tcp"): ProbeConfig {
  const interval = dice.size(200, 3000);
  const timing = { interval, timeout: dice.size(100, 1000), rise: dice.between(1, 3), fall: dice.between(1, 4) };
  return mode === "http" ? { ...timing, path: "/probe" } : { ...timing, type: "http", path: "/probe" };
}

/** Draws how many clients may come at a time. In mode http those beyond may be turned away, where somebody may do wrong. */
export function drawCrowd(dice: Dice, foul: boolean): Partial<NonNullable<Config["limits"]>> {
  if (!dice.oneIn(8)) return {};
  return {
    ...(dice.oneIn(3) ? {} : { connections: dice.between(1, 5) }),
    ...(foul && dice.oneIn(2) ? { connectionsPerAddress: dice.between(1, 3) } : {}),
    ...(foul && dice.oneIn(2) ? { overLimit: dice.pick(["reset", "503"] as const) } : {}),
  };
}

function drawRetry(dice: Dice, http: boolean, foul: boolean): NonNullable<PoolConfig["retry"]> {
  const causes = ["connect-failure", "refused", "reset", "timeout"].filter(() => dice.oneIn(2));
  return {
    attempts: dice.between(1, 5),
    on: [...causes, ...(http && dice.oneIn(2) ? [500, 503] : [])],
    ...(foul && http && dice.oneIn(3) ? { perAttemptTimeout: dice.size(2000, 20_000) } : {}),
    budget: dice.oneIn(2) ? 1 : 0.2,
  };
}

function drawBounds(dice: Dice, http: boolean, foul: boolean): NonNullable<PoolConfig["limits"]> {
  return {
    maxInFlight: http && dice.oneIn(3) ? "auto" : dice.between(1, 6),
    maxQueue: foul ? dice.size(0, 10) : 1000,
    queueTimeout: foul ? dice.size(50, 3000) : 120_000,
  };
}
