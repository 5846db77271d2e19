import { expect, test } from "bun:test";
import { formatProblem, formatProblems, keyText } from "./problems.ts";
import type { Problem } from "./problems.ts";

const PROBLEM: Problem = {
  code: "CONFIG_UNKNOWN_KEY",
  file: "weir.config.yaml",
  line: 12,
  column: 5,
  key: "pools.app.weight",
  message: "what",
  mend: "Mend.",
};

test("a problem is a line with place, key, code, what is wrong and how to mend it", () => {
  expect(formatProblem(PROBLEM)).toBe("weir.config.yaml:12:5 pools.app.weight  CONFIG_UNKNOWN_KEY  what → Mend.");
  expect(formatProblem({ ...PROBLEM, line: null })).toBe(
    "weir.config.yaml pools.app.weight  CONFIG_UNKNOWN_KEY  what → Mend.",
  );
  expect(formatProblem({ ...PROBLEM, key: "" })).toBe("weir.config.yaml:12:5  CONFIG_UNKNOWN_KEY  what → Mend.");
  expect(formatProblem({ ...PROBLEM, file: null, line: null })).toBe(
    "pools.app.weight  CONFIG_UNKNOWN_KEY  what → Mend.",
  );
  expect(formatProblem({ ...PROBLEM, file: null, line: null, key: "" })).toBe("CONFIG_UNKNOWN_KEY  what → Mend.");
  expect(formatProblems([PROBLEM, PROBLEM]).split("\n")).toHaveLength(2);
});

test("colour adds nothing but colour", () => {
  const coloured = formatProblem(PROBLEM, true);
  expect(coloured).not.toBe(formatProblem(PROBLEM));
  expect(Bun.stripANSI(coloured)).toBe(formatProblem(PROBLEM));
});

test("a key is dotted, with indexes and quotes where they are needed", () => {
  expect(keyText(["pools", "app", "backends", 1, "weight"])).toBe("pools.app.backends[1].weight");
  expect(keyText(["pools", "a.b", "backends"])).toBe('pools["a.b"].backends');
  expect(keyText([])).toBe("");
});
