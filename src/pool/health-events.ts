import type { LogFields } from "../observe/log.ts";
import type { Eligible } from "./eligibility.ts";
import type { ProbeTiming } from "../health-plan.ts";
import type { BackendHealth } from "./backend-health.ts";
import type { TierShare } from "./tiers.ts";

/** Something that is to be logged. */
export interface HealthEvent {
  readonly level: "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

/** What happened since it was last taken, to one pool. */
export class HealthEvents {
  readonly #pool: string;
  #events: HealthEvent[] = [];

  constructor(pool: string) {
    this.#pool = pool;
  }

  info(event: string, fields: LogFields): void {
    this.#add("info", event, fields);
  }

  warn(event: string, fields: LogFields): void {
    this.#add("warn", event, fields);
  }

  error(event: string, fields: LogFields): void {
    this.#add("error", event, fields);
  }

  /** Probes have settled what a backend is. */
  settled({ plan, probe, lastProbe }: BackendHealth, first: boolean, { rise, fall }: ProbeTiming): void {
    const backend = plan.id;
    if (probe.kind === "down") {
      const why = `${first ? "the first probe" : `${fall} of ${fall} probes`} failed: ${probe.why}`;
      const code = lastProbe?.kind === "failed" ? (lastProbe.code ?? undefined) : undefined;
      this.warn("backend down", { backend, why, code });
    } else if (probe.kind === "up") {
      const why = first ? "the first probe passed" : `${rise} of ${rise} probes passed`;
      this.info("backend up", { backend, why });
    }
  }

  /** It is decided who gets work. */
  decided(before: Eligible | null, { tiers, panic, candidates }: Eligible): void {
    const healthy = healthyText(tiers);
    if (panic && before?.panic !== true)
      this.error("pool panics", { healthy, why: "too few are healthy: all get work" });
    else if (!panic && before?.panic === true) this.info("pool calm", { healthy });
    if (candidates.length === 0 && before?.candidates.length !== 0)
      this.error("pool empty", { healthy, why: "no backend may take work" });
    const shares = sharesText(tiers);
    if (tiers.length > 1 && before !== null && shares !== sharesText(before.tiers))
      this.warn("pool shifts work between tiers", { shares, healthy });
  }

  /** Gives what has gathered, and forgets it. */
  take(): readonly HealthEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #add(level: HealthEvent["level"], event: string, fields: LogFields): void {
    this.#events.push({ level, event, fields: { pool: this.#pool, ...fields } });
  }
}

/** Who gets what, in words: `0: 70 %, 1: 30 %`. */
function sharesText(tiers: readonly TierShare[]): string {
  return tiers
    .filter(({ share }) => share > 0)
    .map(({ tier, share }) => `${tier}: ${Math.round(share * 100)} %`)
    .join(", ");
}

/** How many are healthy, in words: `2 of 5`. */
function healthyText(tiers: readonly TierShare[]): string {
  const sum = (of: (tier: TierShare) => number): number => tiers.reduce((total, tier) => total + of(tier), 0);
  return `${sum(({ healthy }) => healthy)} of ${sum(({ backends }) => backends)}`;
}
