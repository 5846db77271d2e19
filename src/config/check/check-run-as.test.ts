import { expect, test } from "bun:test";
import type { Accounts } from "../../net/accounts.ts";
import { formatProblem } from "../files/problems.ts";
import { planFromConfig } from "../files/read.ts";

const accounts: Accounts = {
  user: (name) => (name === "weir" ? { uid: 7, gid: 8 } : null),
  group: (name) => (name === "web" ? 9 : null),
};

async function read(more: object): Promise<unknown> {
  const config = {
    listeners: { web: { address: ":8080", pool: "app" } },
    pools: { app: { backends: ["127.0.0.1:8001"] } },
    ...more,
  };
  const loaded = await planFromConfig(config, { file: null }, { accounts });
  return "plan" in loaded ? loaded.plan.runAs : loaded.problems.map((problem) => formatProblem(problem));
}

test("a user, with or without a group", async () => {
  expect(await read({})).toBeNull();
  expect(await read({ user: "weir" })).toEqual({ user: "weir", group: null });
  expect(await read({ user: "weir", group: "web" })).toEqual({ user: "weir", group: "web" });
});

test("names that the system does not have, a group alone, and what is no name", async () => {
  const mend = "→ Create it, or name another one, such as `nobody`.";
  expect(await read({ user: "who" })).toEqual([`user  CONFIG_UNKNOWN_USER  this system has no user "who" ${mend}`]);
  expect(await read({ user: "weir", group: "weir" })).toEqual([
    `group  CONFIG_UNKNOWN_USER  this system has no group "weir" ${mend}`,
  ]);
  expect(await read({ group: "web" })).toEqual([
    "group  CONFIG_BAD_VALUE  there is no user to go with the group → Add user, or remove it.",
  ]);
  expect(await read({ user: 7 })).toEqual([
    "user  CONFIG_BAD_VALUE  it must be the name of a user of this system, not 7 → Write the name of a user of this system.",
  ]);
});
