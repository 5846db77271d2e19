import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WeirError } from "../../errors.ts";
import { formatAddress } from "../../address.ts";
import { backendAddress, ipOrBlock, listenAddress, shortBackend } from "./addresses.ts";

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WeirError) return error.code;
    throw error;
  }
  return "";
}

describe("addresses of the configuration", () => {
  test.each([
    [":8001", "127.0.0.1:8001"],
    ["http://:8001", "127.0.0.1:8001"],
    ["tcp://:8001", "127.0.0.1:8001"],
    ["http://api", "api:80"],
    ["[0:0::0001]:80", "[::1]:80"],
    ["127.00.0.01:80", "127.0.0.1:80"],
    ["unix:///run/a.sock", "unix:/run/a.sock"],
  ])("a backend %s is %s", (text, id) => {
    expect(formatAddress(backendAddress(text))).toBe(id);
  });

  test("a listener without a host is on every interface, and port 0 is the system's choice", () => {
    expect(listenAddress("http://:8080")).toEqual({ kind: "tcp", host: null, port: 8080 });
    expect(listenAddress(":0")).toEqual({ kind: "tcp", host: null, port: 0 });
    expect(codeOf(() => backendAddress("a:0"))).toBe("CONFIG_BAD_ADDRESS");
  });

  test("no path of a socket has a NUL", () => {
    expect(codeOf(() => listenAddress("unix:/a\0b"))).toBe("CONFIG_BAD_ADDRESS");
  });

  test("an address is canonical: reading it again changes nothing", () => {
    const host = fc.oneof(
      fc.ipV4(),
      fc
        .ipV6()
        .filter((ip) => !ip.includes("."))
        .map((ip) => `[${ip}]`),
    );
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const once = formatAddress(backendAddress(`${name}:${port}`));
        expect(formatAddress(backendAddress(once))).toBe(once);
      }),
    );
  });
});

describe("a backend in its short form", () => {
  test.each([
    [":8001", "127.0.0.1:8001", 1],
    [":8001,weight=3", "127.0.0.1:8001", 3],
    ["[::1]:1, weight = 0", "[::1]:1", 0],
    ["unix:/a,b=c", "unix:/a,b=c", 1],
    ["unix:/a,b=c,weight=2", "unix:/a,b=c", 2],
  ])("%s", (text, id, weight) => {
    const read = shortBackend(text);
    expect([formatAddress(read.address), read.weight]).toEqual([id, weight]);
  });

  test.each([
    [":1,weight=-1", "CONFIG_BAD_WEIGHT"],
    [":1,weight=1.5", "CONFIG_BAD_WEIGHT"],
    [":1,weight=65536", "CONFIG_BAD_WEIGHT"],
    [":1,weight=", "CONFIG_BAD_WEIGHT"],
    [":1,weihgt=1", "CONFIG_UNKNOWN_KEY"],
    [":1,maxConnections=1", "CONFIG_UNKNOWN_KEY"],
    [":1,2", "CONFIG_BAD_ADDRESS"],
    ["x,weight=1", "CONFIG_BAD_ADDRESS"],
  ])("refuses %s", (text, code) => {
    expect(codeOf(() => shortBackend(text))).toBe(code);
  });
});

describe("IP addresses and blocks", () => {
  test.each([
    ["10.0.0.7", "10.0.0.7"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["FD00:0::/8", "fd00::/8"],
    ["::1", "::1"],
  ])("reads %s", (text, read) => {
    expect(ipOrBlock(text)).toBe(read);
  });

  test.each([
    "",
    "localhost",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "::1]/x",
    "[::1]",
    "1.2.3.4:80",
  ])("refuses %p", (text) => {
    expect(codeOf(() => ipOrBlock(text))).toBe("CONFIG_BAD_ADDRESS");
  });
});
