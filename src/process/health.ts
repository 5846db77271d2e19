import type { Clock } from "../clock.ts";
import { rowsOf } from "../engine/rows.ts";
import type { SharedState } from "../engine/shared-state.ts";
import { cork } from "../net/cork.ts";
import { dial } from "../net/dial.ts";
import { TICK_MS, TimerWheel } from "../net/timer-wheel.ts";
import type { Log } from "../observe/log.ts";
import type { Plan } from "../plan.ts";
import { HealthLoop } from "../probe/health-loop.ts";
import { systemRandom } from "../random.ts";

/** Without probes there is little to do by the clock, and what workers have to say they say themselves: the supervisor sleeps. */
const UNPROBED_TICK_MS = 250;

/** What keeping the health of a plan's pools needs from outside. */
export interface HealthOptions {
  readonly plan: Plan;
  readonly shared: SharedState;
  readonly clock: Clock;
  readonly log: Log;
}

/** The health of all pools, kept once for all workers. */
export interface KeptHealth {
  /** For whoever shows it. */
  readonly loop: HealthLoop;
  /** A worker has raised an alarm: looks at once. */
  alarmed(): void;
  /** Gives up all probes; what was published last goes on holding. */
  close(): void;
}

/** Begins to keep the health of a plan's pools. What holds at the start is published before this returns. */
export function keepHealth({ plan, shared, clock, log }: HealthOptions): KeptHealth {
  const { counters, words } = shared;
  const rows = rowsOf(plan, counters.shape.workers).backends;
  // It turns all the time, so nobody has to be told when it is needed.
  const wheel = new TimerWheel(clock, () => {});
  const loop = new HealthLoop({ dial, wheel, counters, words, clock, random: systemRandom(), log, zone: plan.zone });
  loop.configure(
    plan.pools.map(({ name, health, backends }, pool) => ({ name, health, backends, rows: rows[pool] ?? [] })),
  );
  const tick = (): void => {
    wheel.advance();
    loop.tick();
    cork.flush();
  };
  const probes = plan.pools.some(({ health }) => health.probe !== null);
  const ticking = setInterval(tick, probes ? TICK_MS : UNPROBED_TICK_MS);
  return {
    loop,
    alarmed: tick,
    close() {
      clearInterval(ticking);
      loop.close();
    },
  };
}
