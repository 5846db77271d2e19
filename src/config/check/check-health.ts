import { DEFAULT_PASSIVE, DEFAULT_TIMING } from "../../health-plan.ts";
import { formatDuration, parseDuration } from "../../units.ts";
import { fieldNameProblem } from "../schema/probe-parts.ts";
import { finding } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { named, own } from "../files/raw.ts";

/** Keys of a probe that only one over HTTP has. */
const OF_HTTP = ["path", "method", "host", "headers", "status", "body"] as const;

/** What is wrong with the health of pools beyond the form of its values. */
export function healthFindings(config: unknown): Finding[] {
  return named(own(config, "pools")).flatMap(([name, pool]) => {
    const health = own(pool, "health");
    const path: Path = ["pools", name, "health"];
    return [
      ...probeFindings(own(health, "probe"), [...path, "probe"]),
      ...passiveFindings(own(health, "passive"), [...path, "passive"]),
    ];
  });
}

function probeFindings(probe: unknown, path: Path): Finding[] {
  const found: Finding[] = [];
  for (const key of own(probe, "type") === "tcp" ? OF_HTTP : []) {
    if (own(probe, key) === undefined) continue;
    const message = `a tcp probe has no "${key}": it only connects`;
    found.push({
      ...finding("CONFIG_UNKNOWN_KEY", [...path, key], message, "Remove it, or use type http."),
      part: "key",
    });
  }
  const names = new Map<string, string>();
  for (const [name] of named(own(probe, "headers"))) {
    const problem = fieldNameProblem(name);
    const place = [...path, "headers", name];
    const twin = names.get(name.toLowerCase());
    names.set(name.toLowerCase(), name);
    if (problem !== null)
      found.push({ ...finding("CONFIG_BAD_VALUE", place, problem, "Use the name of another field."), part: "key" });
    else if (twin !== undefined)
      found.push({
        ...finding("CONFIG_BAD_VALUE", place, `it is the same field as ${twin}`, "Keep one of them."),
        part: "key",
      });
  }
  found.push(...zero(probe, ["interval", "timeout"], path));
  const interval = durationOf(own(probe, "interval")) ?? DEFAULT_TIMING.intervalMs;
  const timeout = durationOf(own(probe, "timeout"));
  if (timeout !== null && timeout > interval) {
    const message = `it is longer than the interval, ${formatDuration(interval)}`;
    found.push(
      finding(
        "CONFIG_BAD_VALUE",
        [...path, "timeout"],
        message,
        `Use at most ${formatDuration(interval)}, or a longer interval.`,
      ),
    );
  }
  return found;
}

function passiveFindings(passive: unknown, path: Path): Finding[] {
  const found = [
    ...zero(passive, ["eject", "maxEject"], path),
    ...zero(own(passive, "successRate"), ["window"], [...path, "successRate"]),
  ];
  const first = durationOf(own(passive, "eject")) ?? DEFAULT_PASSIVE.ejectMs;
  const most = durationOf(own(passive, "maxEject"));
  if (most !== null && most > 0 && most < first) {
    const message = `it is shorter than the first ejection, ${formatDuration(first)}`;
    found.push(finding("CONFIG_BAD_VALUE", [...path, "maxEject"], message, `Use at least ${formatDuration(first)}.`));
  }
  return found;
}

/** Durations that must not be 0, as elsewhere it means "off". */
function zero(section: unknown, keys: readonly string[], path: Path): Finding[] {
  return keys
    .filter((key) => durationOf(own(section, key)) === 0)
    .map((key) => finding("CONFIG_BAD_VALUE", [...path, key], "it must be longer than nothing", "Use 1ms or more."));
}

function durationOf(value: unknown): number | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  try {
    return parseDuration(value);
  } catch {
    return null; // the schema says what is wrong with it
  }
}
