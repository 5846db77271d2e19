import type { Clock } from "../../clock.ts";
import type { Placement } from "../../engine/placement.ts";
import type { SharedState } from "../../engine/shared-state.ts";
import { cork } from "../../net/cork.ts";
import { dial } from "../../net/dial.ts";
import { TICK_MS, TimerWheel } from "../../net/timer-wheel.ts";
import type { Log } from "../../observe/log.ts";
import type { Plan } from "../../plan.ts";
import { HealthLoop, type HealthMemory } from "../../probe/health-loop.ts";
import { systemRandom } from "../../random.ts";
import type { Steps } from "../../steps.ts";
import { leisurely } from "../leisurely.ts";

/** Without probes there is little to do by the clock, and what workers have to say they say themselves: the supervisor sleeps. */
const UNPROBED_TICK_MS = 250;

/** What keeping the health of a plan's pools needs from outside. */
export interface HealthOptions {
  readonly plan: Plan;
  readonly placement: Placement;
  readonly shared: SharedState;
  readonly clock: Clock;
  readonly log: Log;
  /** What a predecessor left; `null` where there is none. */
  readonly inherited?: HealthLegacy | null;
}

/** What a process knows of the health of its pools, for the one that takes its place. */
export interface HealthLegacy {
  readonly memory: HealthMemory;
  /** When that was, by its clock and in milliseconds since 1970. */
  readonly now: number;
  readonly wallNow: number;
}

/** The health of all pools, kept once for all workers. */
export interface KeptHealth {
  /** For whoever shows it. */
  readonly loop: HealthLoop;
  /** The plan that is about to be in force: what it says of health holds, and is published before this returns. */
  configure(plan: Plan, placement: Placement): void;
  /** Every worker goes by that plan: what has left its pools gets no more work, from nobody. */
  withdraw(): void;
  /** What is known now. */
  legacy(): HealthLegacy;
  /** A worker has raised an alarm: looks at once. */
  alarmed(): void;
  /** Gives up all probes; what was published last goes on holding. */
  close(): void;
}

/** Begins to keep the health of a plan's pools. What holds at the start is published before this returns. */
export function keepHealth({ plan, placement, shared, clock, log, inherited = null }: HealthOptions): KeptHealth {
  const { counters, words } = shared;
  // It turns all the time, so nobody has to be told when it is needed.
  const wheel = new TimerWheel(clock, () => {});
  const parts = { dial, wheel, counters, words, clock, random: systemRandom(), log, zone: plan.zone };
  const loop = new HealthLoop({
    ...parts,
    inherited: inherited && { memory: inherited.memory, laterMs: laterMs(inherited, clock) },
  });
  /** The rest of the looks for which it is time; `null` where there is none. */
  let looking: Steps<void> | null = null;
  const look = (): void => {
    const looks = loop.looks();
    // Mostly there is none; the first one is looked at here and now.
    if (looks.next().done === true) return;
    looking = looks;
    void leisurely(looks, clock).then(() => {
      looking = null;
    });
  };
  const tick = (): void => {
    wheel.advance();
    loop.heed();
    if (looking === null) look();
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
    legacy: () => ({ memory: loop.memory, now: clock.now(), wallNow: Date.now() }),
    alarmed: tick,
    close() {
      clearInterval(ticking);
      looking?.return();
      loop.close();
    },
  };
}

/** How much later a moment is by the clock here than by that of the predecessor. */
function laterMs({ now, wallNow }: HealthLegacy, clock: Clock): number {
  const sinceMs = Math.max(0, Date.now() - wallNow);
  return clock.now() - sinceMs - now;
}
