import { expect, test } from "bun:test";
import { planFromConfig } from "../files/read.ts";

const BASE = { listeners: { web: { address: ":80", pool: "app" } }, pools: { app: { backends: [":81"] } } };
const TOKEN = "0123456789abcdef";

async function read(explain: unknown): Promise<unknown> {
  const loaded = await planFromConfig({ ...BASE, explain }, { file: null }, { resolve: false });
  return "plan" in loaded ? (loaded.plan.explain ?? "off") : loaded.problems.map(({ key, code }) => `${key} ${code}`);
}

test("a token, or a file with it; nobody may ask where there is neither", async () => {
  expect(await read({ token: TOKEN })).toEqual({ token: TOKEN, tokenFile: null });
  expect(await read({ tokenFile: "/etc/token" })).toEqual({ token: null, tokenFile: "/etc/token" });
  expect(await read(undefined)).toBe("off");
});

test("none, two, a short one and one that no field carries are said to be wrong, and never shown", async () => {
  expect(await read({})).toEqual(["explain CONFIG_BAD_VALUE"]);
  expect(await read({ token: TOKEN, tokenFile: "/etc/token" })).toEqual(["explain CONFIG_BAD_VALUE"]);
  for (const token of ["short", "with a space, but long", "é".repeat(20), "x".repeat(257)]) {
    expect(await read({ token })).toEqual(["explain.token CONFIG_BAD_VALUE"]);
    const loaded = await planFromConfig({ ...BASE, explain: { token } }, { file: null }, { resolve: false });
    expect(JSON.stringify(loaded)).not.toContain(token);
  }
  expect(await read({ tokenFile: "relative" })).toEqual(["explain.tokenFile CONFIG_BAD_VALUE"]);
});
