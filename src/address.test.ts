import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WeirError } from "./errors.ts";
import { formatAddress, isIPv4, isIPv6, needsResolving, parseAddress } from "./address.ts";

const port = fc.integer({ min: 0, max: 65_535 });
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
// The runtime's URL parser refuses a few forms that mix `::` with an IPv4 tail; they are not needed.
const ipV6 = fc.ipV6().filter((ip) => !ip.includes("."));
const hostName = fc
  .array(label, { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join("."))
  .filter((name) => !/^[\d.]+$/.test(name));

function reason(text: string): string {
  try {
    parseAddress(text);
  } catch (error) {
    if (error instanceof WeirError && error.code === "CONFIG_BAD_ADDRESS") return error.detail;
    throw error;
  }
  return "";
}

describe("addresses", () => {
  test.each([
    ["127.0.0.1:80", { kind: "tcp", host: "127.0.0.1", port: 80 }],
    [":8080", { kind: "tcp", host: null, port: 8080 }],
    [":0", { kind: "tcp", host: null, port: 0 }],
    ["Example.COM:1", { kind: "tcp", host: "example.com", port: 1 }],
    ["my_service:1", { kind: "tcp", host: "my_service", port: 1 }],
    ["[::1]:80", { kind: "tcp", host: "::1", port: 80 }],
    ["[FD00::A]:80", { kind: "tcp", host: "fd00::a", port: 80 }],
    ["http://a:81", { kind: "tcp", host: "a", port: 81 }],
    ["http://a/", { kind: "tcp", host: "a", port: 80 }],
    ["http://[::1]", { kind: "tcp", host: "::1", port: 80 }],
    ["TCP://a:5432", { kind: "tcp", host: "a", port: 5432 }],
    ["unix:/run/a.sock", { kind: "unix", path: "/run/a.sock" }],
    ["unix:///run/a.sock", { kind: "unix", path: "/run/a.sock" }],
  ] as const)("reads %s", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  test.each([
    ["", "the port is missing"],
    ["localhost", "the port is missing"],
    ["tcp://a", "the port is missing"],
    ["a:", "the port must be a number from 0 to 65535"],
    ["a:b", "the port must be a number from 0 to 65535"],
    ["a:65536", "the port must be a number from 0 to 65535"],
    ["a:-1", "the port must be a number from 0 to 65535"],
    ["a:1.5", "the port must be a number from 0 to 65535"],
    ["a: 80", "the port must be a number from 0 to 65535"],
    ["::1:80", "an IPv6 address stands in brackets"],
    ["[::1:80", "an IPv6 address stands in brackets"],
    ["[g::]:80", "is no IPv6 address"],
    ["[]:80", "is no IPv6 address"],
    ["[127.0.0.1]:80", "is no IPv6 address"],
    ["256.1.1.1:80", "is neither an IP address nor a host name"],
    ["1.2.3:80", "is neither an IP address nor a host name"],
    ["-a:80", "is neither an IP address nor a host name"],
    ["a..b:80", "is neither an IP address nor a host name"],
    ["a b:80", "is neither an IP address nor a host name"],
    ["*:80", "is neither an IP address nor a host name"],
    ["user@a:80", "is neither an IP address nor a host name"],
    [`${"a".repeat(64)}:80`, "is neither an IP address nor a host name"],
    ["https://a:443", "the scheme https:// is not supported"],
    ["http://a:80/path", "an address has no path"],
    ["http://:80", "the host is missing"],
    ["unix:", "the path is empty"],
    [`unix:/${"a".repeat(103)}`, "a socket path has at most 103 bytes"],
  ])("refuses %p and says why", (text, why) => {
    expect(reason(text)).toContain(why);
    expect(reason(text)).toContain("use host:port, :port, [ipv6]:port, http://host:port or unix:/path");
  });

  test("what is formatted is read back as the same", () => {
    const address = fc.oneof(
      fc.record({ kind: fc.constant("tcp"), host: fc.oneof(fc.constant(null), fc.ipV4(), ipV6, hostName), port }),
      fc.record({ kind: fc.constant("unix"), path: fc.stringMatching(/^\/[\w.-]{1,40}$/) }),
    );
    fc.assert(
      fc.property(address, (given) => {
        expect(parseAddress(formatAddress(given as never))).toEqual(
          "host" in given && given.host !== null ? { ...given, host: given.host.toLowerCase() } : given,
        );
      }),
    );
  });

  test("any text is read, or refused with its code", () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[\w:[\]./-]{0,20}$/),
      fc.string().map((rest) => `http://${rest}`),
    );
    fc.assert(
      fc.property(text, (given) => {
        const why = reason(given);
        if (why === "") expect(formatAddress(parseAddress(given)).length).toBeGreaterThan(1);
      }),
      { numRuns: 2000 },
    );
  });
});

test("IP addresses are told from names", () => {
  fc.assert(fc.property(fc.ipV4(), (ip) => isIPv4(ip) && !isIPv6(ip)));
  fc.assert(fc.property(ipV6, (ip) => isIPv6(ip) && !isIPv4(ip)));
  fc.assert(fc.property(hostName, (name) => !isIPv4(name) && !isIPv6(name)));
  expect(["1.2.3.4.5", "1.2.3", "1.2.3.256", "1.2.3.4."].filter(isIPv4)).toEqual([]);
  expect([":", "1:2", ":::", "::g", "[::1]", "::1/64"].filter(isIPv6)).toEqual([]);
});

test("only names need resolving", () => {
  const needing = ["a:1", "localhost:1", "127.0.0.1:1", "[::1]:1", ":1", "unix:/a"].filter((text) =>
    needsResolving(parseAddress(text)),
  );
  expect(needing).toEqual(["a:1", "localhost:1"]);
});
