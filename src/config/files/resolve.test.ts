import { expect, test } from "bun:test";
import { unresolvedNames, within } from "./resolve.ts";

test("a resolver that does not answer is given up", async () => {
  const config = {
    listeners: { web: { address: ":0", pool: "app" } },
    pools: { app: { backends: ["silent.test:1"] } },
  };
  const never = (): Promise<never> => new Promise(() => {});
  const found = await unresolvedNames(config, never, 10);
  expect(found.map(({ message }) => message)).toEqual([
    'the name "silent.test" does not resolve: no answer within 0.01 s',
  ]);
});

test("within gives the value or the reason of the promise where that comes first", async () => {
  expect(await within(Promise.resolve(1), 1000, "late")).toBe(1);
  expect(within(Promise.reject(new Error("broken")), 1000, "late")).rejects.toThrow("broken");
});
