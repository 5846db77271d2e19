import { POLICIES } from "../src/balance/registry.ts";
import { compile } from "../src/config/compile.ts";
import { type Config, configSchema } from "../src/config/schema.ts";
import type { Plan } from "../src/plan.ts";
import {
  type BackendFaults,
  type ClientFaults,
  drawFaults,
  NO_BACKEND_FAULTS,
  NO_CLIENT_FAULTS,
} from "./actors/habits.ts";
import type { Dice } from "./dice.ts";
import { drawFeatures } from "./features.ts";
import type { Asked } from "./ledger.ts";
import { type Faults, NO_FAULTS } from "./network/weather.ts";

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
  readonly clientFaults: ClientFaults;
  readonly backendFaults: BackendFaults;
  readonly linkFaults: Faults;
  /** When the engine is closed in the middle of it all; −1 for never. */
  readonly closesAfterMs: number;
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
  const plan = planOf(drawConfig(dice, mode, foul));
  const { timeouts, retry } = plan.listeners[0]!.routes[0]!;
  const { headMs, keepAliveMs, bodyMs, connectMs, responseMs } = timeouts;
  return {
    theme,
    mode,
    plan,
    address: ADDRESS,
    clients: dice.size(1, 12),
    clientFaults,
    backendFaults,
    linkFaults,
    closesAfterMs: foul && dice.oneIn(20) ? dice.size(1, 20_000) : -1,
    longestMs:
      (retry.attempts + 2) * (connectMs + responseMs) +
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

function planOf(config: Config): Plan {
  return compile(configSchema.parse(config), 1);
}

function drawConfig(dice: Dice, mode: "http" | "tcp", foul: boolean): Config {
  const count = dice.between(1, 4);
  const policy = dice.pick([...POLICIES.keys()]);
  return {
    admin: "off",
    listeners: { web: { address: ADDRESS, mode, pool: "all", via: dice.oneIn(4) } },
    pools: {
      all: {
        policy: dice.oneIn(5) && policy === "two-choices" ? { name: policy, load: "peak-ewma" } : policy,
        backends: Array.from({ length: count }, (_, index) => ({
          address: `10.0.1.${index + 1}:80`,
          weight: dice.oneIn(3) ? dice.between(1, 5) : 1,
          ...(foul && dice.oneIn(6) ? { maxConnections: dice.between(1, 4) } : {}),
        })),
        ...drawFeatures(dice, mode, foul),
        ...(foul && dice.oneIn(2)
          ? {
              health: {
                passive: { failures: dice.between(1, 5), eject: dice.size(300, 5000) },
                panicBelow: dice.pick([0, 0.5, 1]),
              },
            }
          : {}),
      },
    },
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
      ...(foul && dice.oneIn(8) ? { body: dice.size(1000, 200_000) } : {}),
    },
  };
}
