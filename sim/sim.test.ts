import { describe, expect, test } from "bun:test";
import { replayLine } from "./one.ts";
import { run } from "./run.ts";

const SEEDS = 2000;

describe("simulated network", () => {
  test(`${SEEDS} seeds keep every invariant`, () => {
    const failed: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const [violation] = run(seed).violations;
      if (violation !== undefined) failed.push(`${violation}; again: ${replayLine(seed)}`);
    }
    expect(failed).toEqual([]);
  });

  test("equal seeds give equal runs, to the last event", () => {
    for (const seed of [3, 7, 11]) expect(logOf(seed)).toEqual(logOf(seed));
  });

  test("a log costs nothing but its text: the run is the same without one", () => {
    const { simulatedMs, events, outcomes } = run(5);
    expect(run(5, () => {})).toMatchObject({ simulatedMs, events, outcomes });
  });

  test("the themes have enough runs each, and most requests are answered", () => {
    const themes = new Map<string, number>();
    let answered = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const { setting, outcomes } = run(seed);
      const name = `${setting.theme}, ${setting.mode}`;
      themes.set(name, (themes.get(name) ?? 0) + 1);
      answered += outcomes["answered"] ?? 0;
    }
    for (const name of ["fair, http", "fair, tcp", "idle closes, http", "foul, http", "foul, tcp"])
      expect(themes.get(name) ?? 0).toBeGreaterThan(3);
    expect(answered).toBeGreaterThan(400);
  });
});

function logOf(seed: number): string[] {
  const lines: string[] = [];
  run(seed, (line) => lines.push(line));
  return lines;
}
