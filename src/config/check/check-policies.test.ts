import { describe, expect, test } from "bun:test";
import { POLICIES } from "../../balance/registry.ts";
import { formatKeyPart, KEY_FORMS, parseKeyPart } from "../schema/key-parts.ts";
import { planFromConfig } from "../files/read.ts";
import { summary } from "../summary.ts";

const KEYED = new Set([...POLICIES.values()].filter(({ keyed }) => keyed).map(({ name }) => name));

async function read(policy: unknown, mode = "http"): Promise<Awaited<ReturnType<typeof planFromConfig>>> {
  const pools = { app: { policy, backends: [":1"] } };
  return planFromConfig({ listeners: { web: { address: ":8080", mode, pool: "app" } }, pools }, { file: null });
}

/** What is wrong, as key, code, message and mend. */
async function wrong(policy: unknown, mode?: string): Promise<string[][]> {
  const loaded = await read(policy, mode);
  return "plan" in loaded ? [] : loaded.problems.map(({ key, code, message, mend }) => [key, code, message, mend]);
}

async function planned(policy: unknown, mode?: string): Promise<unknown> {
  const loaded = await read(policy, mode);
  return "plan" in loaded ? loaded.plan.pools[0]?.policy : loaded.problems;
}

const options = { load: "in-flight", maxLoadFactor: null };

describe("a policy", () => {
  test.each([...POLICIES.keys()])("%s by its name alone has its defaults", async (name) => {
    const key = KEYED.has(name) ? [{ kind: "source" }] : null;
    for (const mode of ["http", "tcp"]) {
      expect(await planned(name, mode)).toEqual({ name, options, key });
      expect(await planned({ name }, mode)).toEqual({ name, options, key });
    }
  });

  test("may have what it can use", async () => {
    expect(await planned({ name: "two-choices", load: "peak-ewma" })).toMatchObject({ options: { load: "peak-ewma" } });
    expect(await planned({ name: "ring", key: "header:X-User", maxLoadFactor: 1.25 })).toEqual({
      name: "ring",
      options: { ...options, maxLoadFactor: 1.25 },
      key: [{ kind: "header", name: "x-user" }],
    });
    expect(await planned({ name: "maglev", key: ["host", "query:Q", "cookie:Sid"] })).toMatchObject({
      key: [{ kind: "host" }, { kind: "query", name: "Q" }, { kind: "cookie", name: "Sid" }],
    });
    expect(await planned({ name: "rendezvous", key: ["source"], maxLoadFactor: 2 }, "tcp")).toMatchObject({
      key: [{ kind: "source" }],
    });
  });

  test.each([...POLICIES.values()])("$name may not have what it cannot use", async ({ name, keyed, loads }) => {
    const given = { name, key: "path", load: "peak-ewma", maxLoadFactor: 2 };
    const refused = (await wrong(given)).map(([key, code]) => [key, code]);
    const expected = [...(keyed ? [] : ["key", "maxLoadFactor"]), ...(loads.length > 0 ? [] : ["load"])];
    expect(refused.toSorted()).toEqual(
      expected.map((key) => [`pools.app.policy.${key}`, "CONFIG_UNKNOWN_KEY"]).toSorted(),
    );
  });
});

describe("what is wrong is said where it stands", () => {
  const cases: readonly (readonly [unknown, string, string, string, string])[] = [
    [
      {},
      ".name",
      "CONFIG_MISSING_KEY",
      'the key "name" is missing',
      `Add it: one of ${[...POLICIES.keys()].join(", ")}.`,
    ],
    [
      { name: "rong" },
      ".name",
      "CONFIG_BAD_VALUE",
      '"rong" is no name; did you mean "ring"?',
      `Use one of ${[...POLICIES.keys()].join(", ")}.`,
    ],
    [
      { name: "ring", kee: "path" },
      ".kee",
      "CONFIG_UNKNOWN_KEY",
      'there is no key "kee" here; did you mean "key"?',
      "Write key.",
    ],
    [
      5,
      "",
      "CONFIG_BAD_VALUE",
      `it must be one of ${[...POLICIES.keys()].join(", ")}, not 5`,
      `Write one of ${[...POLICIES.keys()].join(", ")}.`,
    ],
    [
      { name: "ring", key: "heder:x" },
      ".key",
      "CONFIG_BAD_VALUE",
      '"heder:x" is nothing to choose by',
      `Use ${KEY_FORMS}.`,
    ],
    [
      { name: "ring", key: "path:x" },
      ".key",
      "CONFIG_BAD_VALUE",
      '"path" stands alone, without ":x"',
      `Use ${KEY_FORMS}.`,
    ],
    [
      { name: "ring", key: ["path", "header:a b"] },
      ".key[1]",
      "CONFIG_BAD_VALUE",
      '"header:a b" names no header',
      `Use ${KEY_FORMS}.`,
    ],
    [
      { name: "ring", key: [] },
      ".key",
      "CONFIG_BAD_VALUE",
      `it must be ${KEY_FORMS}, or a list of these, not an empty list`,
      `Write ${KEY_FORMS}, or a list of these.`,
    ],
    [
      { name: "ring", maxLoadFactor: 1 },
      ".maxLoadFactor",
      "CONFIG_BAD_VALUE",
      "it must be a number above 1 and up to 1000, such as 1.25, not 1",
      "Write a number above 1 and up to 1000, such as 1.25.",
    ],
    [
      { name: "two-choices", load: "slow" },
      ".load",
      "CONFIG_BAD_VALUE",
      '"slow" is no load',
      "Use one of in-flight, peak-ewma.",
    ],
    [
      { name: "least-time", load: "peak-ewma" },
      ".load",
      "CONFIG_UNKNOWN_KEY",
      'the policy "least-time" has no "load": what it compares is fixed',
      "Remove it, or use two-choices.",
    ],
    [
      { name: "random", key: "path" },
      ".key",
      "CONFIG_UNKNOWN_KEY",
      'the policy "random" has no "key": it does not choose by what is asked for',
      "Remove it, or use rendezvous, ring, maglev.",
    ],
  ];
  test.each(cases)("%p", async (policy, key, code, message, mend) => {
    expect(await wrong(policy)).toEqual([[`pools.app.policy${key}`, code, message, mend]]);
  });

  test("a key that needs HTTP, on a pool that a tcp listener leads to", async () => {
    const message = 'a tcp listener has only the source address, and the listener "web" leads here';
    const mend = "Use source, or give that listener a pool of its own.";
    const at = (key: string): string[] => [`pools.app.policy.key${key}`, "CONFIG_BAD_VALUE", message, mend];
    expect(await wrong({ name: "ring", key: "path" }, "tcp")).toEqual([at("")]);
    expect(await wrong({ name: "ring", key: ["source", "header:x"] }, "tcp")).toEqual([at("[1]")]);
    const routes = { listeners: { web: { address: ":1", mode: "tcp", routes: [{ pool: "app" }] } } };
    const pools = { app: { policy: { name: "ring", key: "host" }, backends: [":1"] } };
    const loaded = await planFromConfig({ ...routes, pools }, { file: null });
    expect("plan" in loaded ? [] : loaded.problems.map(({ key }) => key)).toEqual(["pools.app.policy.key"]);
  });

  test("a key of a policy that stands in the pool is shown its place", async () => {
    const pools = { app: { maxLoadFactor: 2, backends: [":1"] } };
    const loaded = await planFromConfig(
      { listeners: { web: { address: ":8080", pool: "app" } }, pools },
      { file: null },
    );
    expect("plan" in loaded ? "" : loaded.problems[0]?.message).toContain("it belongs in a policy");
  });
});

test.each(["source", "path", "host", "header:x-user", "cookie:Sid", "query:a:b c"])(
  "%s is written as it is read",
  (text) => {
    expect(formatKeyPart(parseKeyPart(text))).toBe(text);
  },
);

test("the summary tells what differs from a policy's defaults", async () => {
  const cases = [
    ["ring", "ring by source"],
    [{ name: "two-choices", load: "peak-ewma" }, "two-choices, load peak-ewma"],
    [
      { name: "maglev", key: ["host", "header:X-User"], maxLoadFactor: 1.25 },
      "maglev by host and header:x-user, at most 1.25 times the even load",
    ],
  ] as const;
  for (const [policy, shown] of cases) {
    const loaded = await read(policy);
    expect("plan" in loaded ? summary(loaded.plan) : "").toContain(`\n  app  ${shown}\n`);
  }
});
