import type { Clock } from "../clock.ts";
import type { Placement } from "../engine/placement.ts";
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
  readonly placement: Placement;
  readonly shared: SharedState;
  readonly clock: Clock;
  readonly log: Log;
}

/** The health of all pools, kept once for all workers. */
export interface KeptHealth {
  /** For whoever shows it. */
  readonly loop: HealthLoop;
  /** The plan that is about to be in force: what it says of health holds, and is published before this returns. */
  configure(plan: Plan, placement: Placement): void;
  /** Every worker goes by that plan: what has left its pools gets no more work, from nobody. */
  withdraw(): void;
  /** A worker has raised an alarm: looks at once. */
  alarmed(): void;
  /** Gives up all probes; what was published last goes on holding. */
  close(): void;
}

/** Begins to keep the health of a plan's pools. What holds at the start is published before this returns. */
export function keepHealth({ plan, placement, shared, clock, log }: HealthOptions): KeptHealth {
  const { counters, words } = shared;
  // It turns all the time, so nobody has to be told when it is needed.
  const wheel = new TimerWheel(clock, () => {});
  const loop = new HealthLoop({ dial, wheel, counters, words, clock, random: systemRandom(), log, zone: plan.zone });
  const tick = (): void => {
    wheel.advance();
    loop.tick();
    cork.flush();
  };
  let everyMs = 0;
  let ticking: ReturnType<typeof setInterval> | undefined;
  const configure = ({ pools, zone }: Plan, { backends, lines }: Placement): void => {
    wheel.refresh();
    loop.configure(
      pools.map((pool, i) => ({ plan: pool, rows: backends[i] ?? [], line: lines[i] ?? 0 })),
      zone,
    );
    const probes = pools.some(({ health }) => health.probe !== null);
    const nextMs = probes ? TICK_MS : UNPROBED_TICK_MS;
    if (nextMs === everyMs) return;
    clearInterval(ticking);
    ticking = setInterval(tick, nextMs);
    everyMs = nextMs;
  };
  configure(plan, placement);
  return {
    loop,
    configure,
    withdraw: () => loop.withdraw(),
    alarmed: tick,
    close() {
      clearInterval(ticking);
      loop.close();
    },
  };
}
