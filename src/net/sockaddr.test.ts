import { describe, expect, test } from "bun:test";
import { DARWIN, LINUX } from "./libc.ts";
import { ipv6Bytes, portOf, socketAddress } from "./sockaddr.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("an IPv6 address in bytes", () => {
  test.each([
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["fe80::", "fe800000000000000000000000000000"],
    ["2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
  ])("%s", (text, expected) => {
    expect(hex(ipv6Bytes(text))).toBe(expected);
  });
});

describe("a socket address", () => {
  test("of IPv4 on Linux has the family in the machine's order and the port in the network's", () => {
    const { family, bytes } = socketAddress(LINUX, { kind: "tcp", host: "192.0.2.7", port: 8080 });
    expect(family).toBe(2);
    expect(hex(bytes)).toBe("02001f90c00002070000000000000000");
    expect(portOf(bytes)).toBe(8080);
  });

  test("on macOS begins with its length", () => {
    expect(hex(socketAddress(DARWIN, { kind: "tcp", host: "192.0.2.7", port: 80 }).bytes)).toStartWith(
      "10020050c0000207",
    );
    expect(hex(socketAddress(DARWIN, { kind: "tcp", host: "::1", port: 80 }).bytes)).toStartWith("1c1e0050");
  });

  test("without a host is every interface, over IPv6", () => {
    const { family, bytes } = socketAddress(LINUX, { kind: "tcp", host: null, port: 443 });
    expect(family).toBe(10);
    expect(bytes.length).toBe(28);
    expect(hex(bytes)).toBe(`0a0001bb${"00".repeat(24)}`);
  });

  test("of a unix path ends with NUL", () => {
    expect(hex(socketAddress(LINUX, { kind: "unix", path: "/a" }).bytes)).toBe("01002f6100");
  });
});
