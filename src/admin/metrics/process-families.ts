import type { Family, Sample } from "./family.ts";
import { type ProcessFacts, processFacts } from "./process-facts.ts";
import type { MetricsView } from "./view.ts";

const known = new WeakMap<MetricsView, readonly (readonly [name: string, facts: ProcessFacts])[]>();

/** Weir's processes by their names; each is looked at once for one text. */
function processes(view: MetricsView): readonly (readonly [name: string, facts: ProcessFacts])[] {
  const before = known.get(view);
  if (before !== undefined) return before;
  const workers = view.seats.flatMap(({ worker, pid }) => (pid === null ? [] : [[`worker-${worker}`, pid] as const]));
  const found = [["supervisor", process.pid] as const, ...workers].flatMap(([name, pid]) => {
    const facts = processFacts(pid);
    return facts === null ? [] : [[name, facts] as const];
  });
  known.set(view, found);
  return found;
}

function family(
  ending: string,
  type: "counter" | "gauge",
  help: string,
  read: (facts: ProcessFacts) => number | null,
): Family {
  return {
    name: `process_${ending}`,
    type,
    help,
    labels: ["process"],
    samples: (view) =>
      processes(view).flatMap(([name, facts]): Sample[] => {
        const value = read(facts);
        return value === null ? [] : [[[name], value]];
      }),
  };
}

/** Of the supervisor and each worker, by the names that Prometheus has for every process; only where there is a /proc. */
export const PROCESS_FAMILIES: readonly Family[] = [
  family(
    "cpu_seconds_total",
    "counter",
    "Processor time used, in user and kernel mode.",
    ({ cpuSeconds }) => cpuSeconds,
  ),
  family("resident_memory_bytes", "gauge", "Memory that is resident.", ({ residentBytes }) => residentBytes),
  family("virtual_memory_bytes", "gauge", "Address space that is in use.", ({ virtualBytes }) => virtualBytes),
  family("open_fds", "gauge", "File descriptors that are open.", ({ openDescriptors }) => openDescriptors),
  family("max_fds", "gauge", "File descriptors that may be open.", ({ mostDescriptors }) => mostDescriptors),
  family(
    "start_time_seconds",
    "gauge",
    "When the process started, in seconds since 1970.",
    ({ startedSeconds }) => startedSeconds,
  ),
];
