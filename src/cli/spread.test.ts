import { expect, test } from "bun:test";
import { shares, spreadLine } from "./spread.ts";

const noon = new Date(2026, 0, 2, 12, 0, 0);

test("a line tells each backend's requests of the last second and its share", () => {
  const line = spreadLine(noon, shares([":8001", ":8002"], [30, 110], [0, 100]));
  expect(line).toBe("12:00:00       40 req/s  |  :8001     30  75 %  |  :8002     10  25 %  |  total 140");
});

test("without traffic there is no share to tell", () => {
  expect(spreadLine(noon, shares([":8001"], [5], [5]))).toBe(
    "12:00:00        0 req/s  |  :8001      0        |  total 5",
  );
});

test("a total that fell with a dead worker is no negative number of requests", () => {
  expect(shares(["a"], [3], [10])).toEqual([{ name: "a", total: 3, recent: 0 }]);
});
