import { describe, expect, test } from "bun:test";
import type { ProxyName } from "./proxy.ts";
import type { Outcome } from "./rounds.ts";
import type { Figure, Sample } from "./scenario.ts";
import { rss } from "./scenarios/rss.ts";
import { median, summarise, suspects } from "./summary.ts";

const cpu: Figure = {
  key: "cpu",
  label: "CPU",
  digits: 1,
  better: "lower",
  goal: { of: "ratio", is: "at most", value: 1 },
};
const rate: Figure = {
  key: "rate",
  label: "rate",
  digits: 0,
  better: "higher",
  goal: { of: "ratio", is: "at least", value: 1 },
};

function outcome(figures: readonly Figure[], samples: Partial<Record<ProxyName, readonly Sample[]>>): Outcome {
  const names = ["weir", "haproxy", "nginx", "node"] as const;
  return {
    scenario: { ...rss, figures },
    samples: new Map(names.flatMap((name) => (samples[name] === undefined ? [] : [[name, samples[name]]]))),
    remarks: [],
  };
}

function sample(figures: Readonly<Record<string, number>>, ...errors: readonly string[]): Sample {
  return { figures, errors };
}

describe("summarise", () => {
  test("divides Weir's median by the better of HAProxy's and nginx's, whichever way is better", () => {
    const [cpuRow, rateRow] = summarise(
      outcome([cpu, rate], {
        weir: [sample({ cpu: 30, rate: 90 }), sample({ cpu: 20, rate: 80 }), sample({ cpu: 99, rate: 85 })],
        haproxy: [sample({ cpu: 40, rate: 100 })],
        nginx: [sample({ cpu: 25, rate: 170 })],
        node: [sample({ cpu: 1, rate: 1000 })],
      }),
    );
    expect(cpuRow).toMatchObject({ ratio: 30 / 25, reached: false });
    expect(rateRow).toMatchObject({ ratio: 85 / 170, reached: false });
  });

  test("a ratio at its goal has reached it", () => {
    const [row] = summarise(outcome([cpu], { weir: [sample({ cpu: 25 })], nginx: [sample({ cpu: 25 })] }));
    expect(row).toMatchObject({ ratio: 1, reached: true });
  });

  test("without Weir, or without both of the others, there is no ratio and no verdict", () => {
    const samples = [sample({ cpu: 25 })];
    expect(summarise(outcome([cpu], { haproxy: samples }))[0]).toMatchObject({ ratio: undefined, reached: undefined });
    expect(summarise(outcome([cpu], { weir: samples, node: samples }))[0]?.ratio).toBeUndefined();
  });
});

test("a proxy with an error in any round is suspect", () => {
  const clean = sample({ cpu: 1 });
  expect([...suspects(outcome([cpu], { weir: [clean, sample({ cpu: 1 }, "2 read errors")], nginx: [clean] }))]).toEqual(
    ["weir"],
  );
});

test("the median of an even number of values lies between the two middle ones", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
});
