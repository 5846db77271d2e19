import { describe, expect, test } from "bun:test";
import { COMBINED } from "../../observe/access-template.ts";
import type { Plan } from "../../plan.ts";
import { planFromConfig } from "../files/read.ts";

/** Reads a configuration of one listener. */
async function read(
  top: object,
  listener: object = {},
): Promise<{ readonly plan: Plan | null; readonly problems: readonly string[] }> {
  const config = {
    listeners: { web: { address: "127.0.0.1:1", pool: "app", ...listener } },
    pools: { app: { backends: ["127.0.0.1:2"] } },
    ...top,
  };
  const loaded = await planFromConfig(config, { file: null }, { resolve: false });
  return "plan" in loaded
    ? { plan: loaded.plan, problems: [] }
    : { plan: null, problems: loaded.problems.map(({ key, code, message }) => `${key} ${code} ${message}`) };
}

describe("accessLog", () => {
  test.each([
    ["off", undefined],
    ["json", { format: "json", to: { kind: "stdout" }, sample: 1 }],
    ["combined", { format: { template: COMBINED }, to: { kind: "stdout" }, sample: 1 }],
    [
      { to: "/var/log/a.log", sample: "1%" },
      { format: "json", to: { kind: "file", path: "/var/log/a.log" }, sample: 0.01 },
    ],
    [{ format: "{status}" }, { format: { template: "{status}" }, to: { kind: "stdout" }, sample: 1 }],
    [
      { to: "syslog" },
      { format: "json", to: { kind: "syslog", address: { kind: "unix", path: "/dev/log" } }, sample: 1 },
    ],
    [
      { to: "syslog:log.example:514" },
      { format: "json", to: { kind: "syslog", address: { kind: "tcp", host: "log.example", port: 514 } }, sample: 1 },
    ],
  ])("%j", async (accessLog, expected) => {
    const { plan, problems } = await read({ accessLog });
    expect([problems, plan?.listeners[0]?.accessLog]).toEqual([[], expected as never]);
  });

  test("of a listener holds instead of the top level's", async () => {
    const { plan } = await read({ accessLog: "json" }, { accessLog: "off" });
    expect(plan?.listeners[0]).not.toHaveProperty("accessLog");
  });

  test.each([
    ["jsonl", "accessLog CONFIG_BAD_VALUE"],
    [{ to: "relative.log" }, 'accessLog.to CONFIG_BAD_VALUE "relative.log" is no place for a log'],
    [{ to: "syslog:unix:" }, "accessLog.to CONFIG_BAD_ADDRESS"],
    [{ format: "{nothing}" }, "accessLog.format CONFIG_BAD_VALUE there is no field {nothing}"],
    [{ sample: 2 }, "accessLog.sample CONFIG_BAD_VALUE"],
    [{ file: "/x" }, "accessLog.file CONFIG_UNKNOWN_KEY"],
  ])("%j is refused", async (accessLog, expected) => {
    const { problems } = await read({ accessLog });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toStartWith(expected);
  });
});

describe("requestId", () => {
  test.each([
    ["off", undefined],
    ["keep", { header: "X-Request-Id", trust: "anyone" }],
    ["make", { header: "X-Request-Id", trust: "nobody" }],
    [{}, { header: "X-Request-Id", trust: "trusted-proxies" }],
    [
      { header: "X-Correlation-Id", trust: "anyone" },
      { header: "X-Correlation-Id", trust: "anyone" },
    ],
  ])("%j", async (requestId, expected) => {
    const { plan, problems } = await read({ requestId });
    expect([problems, plan?.requestId]).toEqual([[], expected as never]);
  });

  test.each(["Host", "Content-Length", "X_Request_Id", "traceparent", "Cookie", "a b", ""])(
    "%j is no field for it",
    async (header) => {
      const { problems } = await read({ requestId: { header } });
      expect(problems[0]).toStartWith("requestId.header CONFIG_BAD_VALUE");
    },
  );
});

describe("tracing", () => {
  test("has defaults, and the path of the protocol", async () => {
    const { plan } = await read({ tracing: { otlp: "http://localhost:4318" } });
    expect(plan?.tracing).toEqual({
      otlp: "http://localhost:4318/v1/traces",
      headers: [],
      service: "weir",
      sample: 0.1,
      trust: "anyone",
    });
  });

  test.each([
    [{}, "tracing.otlp CONFIG_MISSING_KEY"],
    [{ otlp: "localhost:4318" }, "tracing.otlp CONFIG_BAD_VALUE"],
    [{ otlp: "ftp://x/" }, "tracing.otlp CONFIG_BAD_VALUE"],
    ["on", "tracing CONFIG_BAD_VALUE"],
  ])("%j is refused", async (tracing, expected) => {
    const { problems } = await read({ tracing });
    expect(problems[0]).toStartWith(expected);
  });

  test("no message shows a secret of its collector", async () => {
    const { problems } = await read({ tracing: { otlp: "http://x/", headers: { key: "se\ncret" } } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).not.toContain("cret");
  });
});
