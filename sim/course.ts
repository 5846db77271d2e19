import type { Config } from "../src/config/schema/schema.ts";
import { POLICIES } from "../src/balance/registry.ts";
import type { Dice } from "./dice.ts";
import { drawHealth } from "./features.ts";

type Backends = Config["pools"][string]["backends"];

/** Backends that there may be in a run, over all plans: `10.0.1.1` and on. */
export const MOST_BACKENDS = 8;

/** What the configuration of a run becomes while it runs. */
export interface Turn {
  readonly atMs: number;
  readonly config: Config;
  /** Whether it is given up when all workers have prepared it: nothing may come of it. */
  readonly abandoned: boolean;
}

/** Draws how a configuration changes in a run; mostly not at all. */
export function drawTurns(dice: Dice, first: Config, foul: boolean): readonly Turn[] {
  if (!dice.oneIn(4)) return [];
  const turns: Turn[] = [];
  let config = first;
  let atMs = 0;
  for (let left = dice.between(1, 4); left > 0; left--) {
    atMs += dice.size(1, 4000);
    const next = changed(dice, config, foul);
    const abandoned = dice.oneIn(6);
    turns.push({ atMs, config: next, abandoned });
    if (!abandoned) config = next;
  }
  return turns;
}

/** A configuration with a few changes. */
function changed(dice: Dice, config: Config, foul: boolean): Config {
  let next = config;
  for (let left = dice.between(1, 3); left > 0; left--) next = dice.pick(CHANGES)(dice, next, foul);
  return next;
}

type Change = (dice: Dice, config: Config, foul: boolean) => Config;

const CHANGES: readonly Change[] = [
  (dice, config) =>
    overBackends(config, (backends) => [...backends, newBackend(dice, backends)].slice(0, MOST_BACKENDS)),
  (dice, config) =>
    overBackends(config, (backends) => {
      const leaves = dice.below(backends.length);
      return backends.length < 2 ? backends : backends.filter((_, index) => index !== leaves);
    }),
  (dice, config) =>
    overBackends(config, (backends) =>
      backends.map((backend) =>
        typeof backend === "string" || dice.oneIn(2) ? backend : { ...backend, weight: dice.between(1, 5) },
      ),
    ),
  (dice, config) => overPool(config, { policy: dice.pick([...POLICIES.keys()]) }),
  (dice, config, foul) => overPool(config, drawHealth(dice, config.listeners["web"]?.mode ?? "http", foul)),
  (dice, config) => ({
    ...config,
    timeouts: { ...config.timeouts, idleBackend: dice.size(100, 4000) },
  }),
  (dice, config) => ({
    ...config,
    limits: { ...config.limits, idleConnections: dice.between(0, 4) },
  }),
  (_, config) => overListener(config, { via: config.listeners["web"]?.via !== true }),
  // One that nobody uses comes, or goes.
  (_, { listeners: { side, ...others }, ...config }) => ({
    ...config,
    listeners: side === undefined ? { ...others, side: { address: "10.0.0.1:81", pool: "all" } } : others,
  }),
];

function overBackends(config: Config, change: (backends: Backends) => Backends): Config {
  return overPool(config, { backends: change(config.pools["all"]?.backends ?? []) });
}

function overPool(config: Config, change: Partial<Config["pools"][string]>): Config {
  return {
    ...config,
    pools: { ...config.pools, all: { ...config.pools["all"]!, ...change } },
  };
}

function overListener(config: Config, change: Partial<Config["listeners"][string]>): Config {
  return {
    ...config,
    listeners: {
      ...config.listeners,
      web: { ...config.listeners["web"]!, ...change },
    },
  };
}

function newBackend(dice: Dice, backends: Backends): Backends[number] {
  const taken = new Set(backends.map((backend) => (typeof backend === "string" ? backend : backend.address)));
  const free = Array.from({ length: MOST_BACKENDS }, (_, index) => addressOf(index)).filter((each) => !taken.has(each));
  return {
    address: free.length === 0 ? addressOf(0) : dice.pick(free),
    weight: dice.between(1, 3),
  };
}

/** Address of a backend by its number. */
export function addressOf(backend: number): string {
  return `10.0.1.${backend + 1}:80`;
}
