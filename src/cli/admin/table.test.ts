import { expect, test } from "bun:test";
import { columns } from "./table.ts";

const HEAD = ["NAME", "FLIGHT", "RATE", "WHY"];
const ROWS = [
  ["app/10.0.0.1:80", { text: "3", right: true }, { text: "12", right: true }, "its probes fail: it took too long"],
  ["app/10.0.0.2:80", { text: "14", right: true }, { text: "0", right: true }, ""],
];

function lines(width: number | null, rows = ROWS): readonly string[] {
  return Bun.stripANSI(columns(HEAD, rows, { width, leave: ["RATE", "FLIGHT"] })).split("\n");
}

test("without a terminal, and in one that is wide enough, a table is as wide as it needs", () => {
  const whole = [
    "NAME             FLIGHT  RATE  WHY",
    "app/10.0.0.1:80       3    12  its probes fail: it took too long",
    "app/10.0.0.2:80      14     0",
  ];
  expect(lines(null)).toEqual(whole);
  expect(lines(64)).toEqual(whole);
});

test("in a narrower one the last column is cut, then others are left out in their order; names stay whole", () => {
  expect(lines(63)[1]).toBe("app/10.0.0.1:80       3    12  its probes fail: it took too lo…");
  expect(lines(54)).toEqual([
    "NAME             FLIGHT  WHY",
    "app/10.0.0.1:80       3  its probes fail: it took too…",
    "app/10.0.0.2:80      14",
  ]);
  expect(lines(48)[1]).toBe("app/10.0.0.1:80  its probes fail: it took too l…");
  expect(lines(20)[1]).toBe("app/10.0.0.1:80  it…");
  expect(lines(5)[1]).toBe("app/10.0.0.1:80  …");
});

test("a short last column leaves room for the others", () => {
  expect(lines(35, ROWS.slice(1))[0]).toBe("NAME             FLIGHT  RATE  WHY");
  expect(lines(33, ROWS.slice(1))[0]).toBe("NAME             FLIGHT  WHY");
});
