import { describe, expect, test } from "bun:test";
import { planFromConfig } from "../files/read.ts";

const rest = { listeners: { web: { address: ":8080", pool: "app" } }, pools: { app: { backends: [":8001"] } } };

async function read(admin: unknown): Promise<unknown> {
  const loaded = await planFromConfig({ ...rest, ...(admin === undefined ? {} : { admin }) }, { file: null });
  return "plan" in loaded ? loaded.plan.admin : loaded.problems.map(({ key, code }) => `${key} ${code}`);
}

describe("an address that only this machine reaches needs no token", () => {
  test.each(["127.0.0.1:9901", "127.8.0.1:9901", "[::1]:9901", "localhost:9901", "unix:/run/a.sock"])(
    "%s",
    async (admin) => {
      expect(await read(admin)).toMatchObject({ tokenFile: null });
      expect(await read({ address: admin })).toMatchObject({ tokenFile: null });
    },
  );
});

describe("any other does", () => {
  test.each([":9901", "0.0.0.0:9901", "[::]:9901", "10.0.0.1:9901", "weir.example:9901", "[::2]:9901"])(
    "%s",
    async (admin) => {
      const codes = (await read(admin)) as string[];
      expect(codes).toContain("admin ADMIN_NEEDS_TOKEN");
      expect((await read({ address: admin })) as string[]).toContain("admin.address ADMIN_NEEDS_TOKEN");
    },
  );

  test("and is fine with one", async () => {
    const tokenFile = "/etc/weir/token";
    expect(await read({ address: "10.0.0.1:9901", tokenFile })).toEqual({
      address: { kind: "tcp", host: "10.0.0.1", port: 9901 },
      tokenFile,
    });
  });
});

test("left out, or with a token alone, it is the usual address; off is off", async () => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 9900 };
  expect(await read(undefined)).toEqual({ address, tokenFile: null });
  expect(await read({ tokenFile: "/t" })).toEqual({ address, tokenFile: "/t" });
  expect(await read("off")).toBeNull();
});

test("a token's file is an absolute path", async () => {
  expect(await read({ tokenFile: "token" })).toEqual(["admin.tokenFile CONFIG_BAD_VALUE"]);
  expect(await read({ tokenfile: "/t" })).toEqual(["admin.tokenfile CONFIG_UNKNOWN_KEY"]);
});
