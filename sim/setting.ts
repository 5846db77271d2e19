import { POLICIES } from "../src/balance/registry.ts";
import { compile } from "../src/config/compile/compile.ts";
import { type Config, configSchema } from "../src/config/schema/schema.ts";
import type { Plan } from "../src/plan.ts";
import {
  type BackendFaults,
  type ClientFaults,
  drawFaults,
  NO_BACKEND_FAULTS,
  NO_CLIENT_FAULTS,
} from "./actors/habits.ts";
import { addressOf, drawTurns, MOST_BACKENDS } from "./course.ts";
import type { Dice } from "./dice.ts";
import { drawCrowd, drawFeatures, drawHealth } from "./features.ts";
import type { Asked } from "./ledger.ts";
import { type Faults, NO_FAULTS } from "./network/weather.ts";
import { drawSpells, type Spell } from "./sickness.ts";

/**
 * What a run is about. `fair`: nobody does anything wrong, so every request must be answered. `idle closes`: backends close connections
 * that wait, and nothing else, so what may be repeated must be answered. `foul`: anything.
 */
export type Theme = "fair" | "idle closes" | "foul";

/** What a run is made of. */
export interface Setting {
  readonly theme: Theme;
  readonly mode: "http" | "tcp";
  readonly plan: Plan;
  /** Where Weir accepts. */
  readonly address: string;
  readonly clients: number;
  /** When each backend fails its probes. */
  readonly spells: readonly (readonly Spell[])[];
  readonly clientFaults: ClientFaults;
  readonly backendFaults: BackendFaults;
  readonly linkFaults: Faults;
  /** Plans that take the place of the first one. */
  readonly turns: readonly {
    readonly atMs: number;
    readonly plan: Plan;
    readonly abandoned: boolean;
  }[];
  /** When Weir ends in the middle of it all, and how: at once, or by a drain for so long; `null` for never. */
  readonly ends: {
    readonly atMs: number;
    readonly drainMs: number | null;
  } | null;
  /** Whether there may be more clients than are let in: who waits to be accepted waits for as long as others stay. */
  readonly crowded: boolean;
  /** The longest that anything may wait for Weir, by the deadlines of the plan. */
  readonly longestMs: number;
  readonly idleMs: number;
  /** Whether Weir may answer a request itself, with that code. */
  mayRefuse(asked: Asked, code: string): boolean;
}

const ADDRESS = "10.0.0.1:80";
/** Ticks of the wheel by which a deadline is late, a client that lingers, the way of the last bytes. */
const SLACK_MS = 6_000;
/** What is kept of a body for another attempt (decision 7). */
const KEPT_BYTES = 64 * 1024;

/** Draws a setting. */
export function drawSetting(dice: Dice): Setting {
  const theme = dice.pick<Theme>(["fair", "fair", "idle closes", "foul", "foul", "foul"]);
  const mode = dice.oneIn(4) && theme !== "idle closes" ? "tcp" : "http";
  const foul = theme === "foul";
  const clientFaults = foul ? drawFaults(dice, NO_CLIENT_FAULTS, 300) : NO_CLIENT_FAULTS;
  const linkFaults = foul ? drawFaults(dice, NO_FAULTS, 300) : NO_FAULTS;
  const backendFaults = foul
    ? drawFaults(dice, NO_BACKEND_FAULTS, 300)
    : theme === "fair"
      ? NO_BACKEND_FAULTS
      : { ...NO_BACKEND_FAULTS, closesIdle: 700 };
  const config = drawConfig(dice, mode, foul);
  const plan = planOf(config);
  const turns = drawTurns(dice, config, foul).map((turn) => ({ ...turn, plan: planOf(turn.config) }));
  const { connections, connectionsPerAddress, listeners } = plan;
  const crowded = [connections, connectionsPerAddress, listeners[0]!.connections].some((most) => most != null);
  const { timeouts, retry } = plan.listeners[0]!.routes[0]!;
  const { headMs, keepAliveMs, bodyMs, connectMs, responseMs } = timeouts;
  const most = Math.max(...[{ plan }, ...turns].map((each) => each.plan.pools[0]!.backends.length));
  return {
    theme,
    mode,
    plan,
    address: ADDRESS,
    clients: dice.size(1, 12),
    spells: Array.from({ length: MOST_BACKENDS }, () => (foul ? drawSpells(dice) : [])),
    clientFaults,
    backendFaults,
    linkFaults,
    turns,
    ends: drawEnd(dice, theme),
    crowded,
    longestMs:
      retry.attempts * (connectMs + responseMs) +
      // Sent twice more on connections that were stale; or waited for each backend that cannot be connected to, which is no attempt.
      Math.max(2 * (connectMs + responseMs), most * connectMs) +
      headMs +
      keepAliveMs +
      bodyMs +
      plan.pools[0]!.limits.queueTimeoutMs +
      SLACK_MS,
    idleMs: timeouts.idleMs,
    mayRefuse: (asked, code) => mayRefuse(theme, asked, code),
  };
}

/** Never what would be Weir's own fault, and of honest clients nothing that says that they were not. */
function mayRefuse(theme: Theme, asked: Asked, code: string): boolean {
  if (code === "" || code === "WEIR_INTERNAL") return false;
  if (theme === "fair") return false;
  if (theme === "idle closes") {
    const mayNot = asked.method === "POST" || asked.method === "PATCH" || asked.length > KEPT_BYTES;
    return code === "BACKEND_RESET" && mayNot;
  }
  if (code === "CLIENT_BAD_BODY") return asked.foul;
  return ![
    "CLIENT_BAD_HEAD",
    "CLIENT_BAD_HOST",
    "CLIENT_AMBIGUOUS_FRAMING",
    "CLIENT_VERSION",
    "ROUTE_NOT_FOUND",
  ].includes(code);
}

/** Whoever drains without a fault around has all the time that it takes. */
function drawEnd(dice: Dice, theme: Theme): Setting["ends"] {
  if (theme === "foul" && dice.oneIn(20)) return { atMs: dice.size(1, 20_000), drainMs: null };
  if (!dice.oneIn(12)) return null;
  return { atMs: dice.size(1, 10_000), drainMs: theme === "foul" ? dice.size(1, 20_000) : 600_000 };
}

function planOf(config: Config): Plan {
  return compile(configSchema.parse(config), 1);
}

function drawConfig(dice: Dice, mode: "http" | "tcp", foul: boolean): Config {
  const count = dice.between(1, 4);
  const policy = dice.pick([...POLICIES.keys()]);
  return {
    admin: "off",
    workers: dice.oneIn(3) ? dice.between(2, 3) : 1,
    listeners: {
      web: { address: ADDRESS, mode, pool: "all", via: dice.oneIn(4) },
    },
    pools: {
      all: {
        policy: dice.oneIn(5) && policy === "two-choices" ? { name: policy, load: "peak-ewma" } : policy,
        backends: Array.from({ length: count }, (_, index) => ({
          address: addressOf(index),
          weight: dice.oneIn(3) ? dice.between(1, 5) : 1,
          ...(foul && dice.oneIn(6) ? { maxConnections: dice.between(1, 4) } : {}),
        })),
        ...drawFeatures(dice, mode, foul),
        ...drawHealth(dice, mode, foul),
      },
    },
    drain: foul
      ? { requests: dice.size(1, 10_000), tunnels: dice.size(1, 10_000) }
      : { requests: 600_000, tunnels: 600_000 },
    timeouts: foul
      ? {
          head: dice.size(500, 3000),
          keepAlive: dice.size(500, 5000),
          body: dice.size(1000, 5000),
          connect: dice.size(400, 2000),
          response: dice.size(1000, 5000),
          idleBackend: dice.size(100, 4000),
          idle: dice.size(1000, 5000),
        }
      : { keepAlive: 5000, idleBackend: dice.size(100, 4000), idle: 60_000 },
    limits: {
      idleConnections: dice.oneIn(3) ? dice.between(0, 4) : 128,
      ...drawCrowd(dice, foul),
      ...(foul && dice.oneIn(8) ? { body: dice.size(1000, 200_000) } : {}),
    },
  };
}
