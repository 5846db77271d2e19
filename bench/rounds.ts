import type { Options } from "./options.ts";
import { isEnding } from "./processes.ts";
import { progress } from "./progress.ts";
import type { Proxy, ProxyName } from "./proxy.ts";
import type { Sample, Scenario } from "./scenario.ts";
import { forwards, startTarget } from "./target.ts";

/** Everything measured in one scenario. */
export interface Outcome {
  readonly scenario: Scenario;
  /** The rounds of each proxy that could be measured. */
  readonly samples: ReadonlyMap<ProxyName, readonly Sample[]>;
  /** Proxies left out and errors seen, as sentences. */
  readonly remarks: readonly string[];
}

/**
 * Measures a scenario: the proxies in turns within each round, each round beginning with another one.
 *
 * Each round has a new process of each proxy. A process keeps the luck of its memory layout for its whole life, up to 17 %
 * of CPU per request between two that should be equal, so rounds of one process agree with each other and say
 * nothing of the program (docs/decisions/0008).
 */
export async function runScenario(
  scenario: Scenario,
  proxies: readonly Proxy[],
  backends: readonly number[],
  folder: string,
  options: Options,
): Promise<Outcome> {
  const samples = new Map<ProxyName, Sample[]>();
  const remarks: string[] = [];
  const failed = new Set<Proxy>();
  const { mode, largeBuffers, accessLog = false } = scenario;
  const launch = { mode, largeBuffers, accessLog, backends };

  const measureOnce = async (proxy: Proxy): Promise<Sample> => {
    await using target = await startTarget(proxy, launch, folder, forwards);
    await scenario.warmUp?.(target);
    return await scenario.measure(target, options);
  };

  for (const proxy of proxies) {
    const reason = accessLog && proxy.name === "node" ? "it has no access log" : proxy.missing(mode);
    if (reason === undefined) continue;
    failed.add(proxy);
    remarks.push(`${proxy.title} left out: ${reason}`);
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const proxy of rotated(proxies, round)) {
      if (failed.has(proxy) || round >= Math.min(scenario.mostRounds, proxy.mostRounds)) continue;
      progress(`${scenario.name}: round ${round + 1} of ${options.rounds}, ${proxy.title}`);
      try {
        const sample = await measureOnce(proxy);
        samples.set(proxy.name, [...(samples.get(proxy.name) ?? []), sample]);
        for (const error of sample.errors) remarks.push(`${proxy.title}, round ${round + 1}: ${error}`);
      } catch (error) {
        if (isEnding()) throw error;
        failed.add(proxy);
        samples.delete(proxy.name);
        remarks.push(
          `${proxy.title} failed in round ${round + 1}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
  progress("");
  return { scenario, samples, remarks };
}

function rotated<T>(values: readonly T[], by: number): readonly T[] {
  const start = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}
