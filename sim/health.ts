import type { Placement } from "../src/engine/placement.ts";
import type { SharedState } from "../src/engine/shared-state.ts";
import { cork } from "../src/net/cork.ts";
import { TICK_MS, TimerWheel } from "../src/net/timer-wheel.ts";
import type { Log } from "../src/observe/log.ts";
import type { Plan } from "../src/plan.ts";
import { HealthLoop } from "../src/probe/health-loop.ts";
import type { Dice } from "./dice.ts";
import type { SimNetwork } from "./network/network.ts";
import type { World } from "./world.ts";

/** The health of all pools, kept as a supervisor does it. */
export interface KeptHealth {
  /** Says what pools there are. What holds is published before this returns. */
  configure(plan: Plan, placement: Placement): void;
  /** All workers go by what was configured last. */
  withdraw(): void;
  /** Gives up all probes. */
  close(): void;
}

/** Begins to keep health, by a clock of its own and over a network that fails no probe. */
export function keepHealth(
  world: World,
  network: SimNetwork,
  { counters, words }: SharedState,
  random: Dice,
  log: Log,
): KeptHealth {
  const wheel = new TimerWheel(world.clock, () => {});
  const { clock } = world;
  const loop = new HealthLoop({ dial: network.dialProbe, wheel, counters, words, clock, random, log, zone: null });
  const tick = (): void => {
    wheel.advance();
    loop.tick();
    cork.flush();
  };
  const stop = world.every(TICK_MS, tick, true);
  return {
    configure({ pools }, { backends, lines }) {
      loop.configure(
        pools.map((plan, index) => ({
          plan,
          rows: backends[index] ?? [],
          line: lines[index] ?? 0,
        })),
      );
    },
    withdraw: () => loop.withdraw(),
    close() {
      stop();
      loop.close();
    },
  };
}
