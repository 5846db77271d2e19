import { expect, test } from "bun:test";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { Origins } from "./origin.ts";

const from = (address: string): FakeConnection => new FakeConnection(address);

test("tells the client's address in the fields that are forwarded", () => {
  const origin = new Origins([], false).of(from("203.0.113.7"));
  expect(origin.address).toBe("203.0.113.7");
  expect(origin.forwarded.toString()).toBe("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http\r\n");
  expect(origin.trusted).toBe(false);
});

test("tells an IPv4 client on a dual-stack listener as IPv4", () => {
  expect(new Origins([], false).of(from("::ffff:203.0.113.7")).address).toBe("203.0.113.7");
});

test("tells an IPv6 client as it is", () => {
  expect(new Origins([], false).of(from("2001:db8::1")).address).toBe("2001:db8::1");
});

test("tells a client on a unix socket as unknown, whom no list trusts", () => {
  const origin = new Origins(["0.0.0.0/0", "::/0"], false).of(from(""));
  expect(origin.address).toBe("unknown");
  expect(origin.trusted).toBe(false);
});

test("trusts what the list names: addresses and blocks, of both families", () => {
  const origins = new Origins(["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::1"], false);
  for (const address of ["192.0.2.1", "10.255.0.1", "::ffff:10.1.2.3", "2001:db8:ffff::1", "::1"])
    expect([address, origins.of(from(address)).trusted]).toEqual([address, true]);
  for (const address of ["192.0.2.2", "11.0.0.1", "::ffff:11.0.0.1", "2001:db9::1", "::2"])
    expect([address, origins.of(from(address)).trusted]).toEqual([address, false]);
});

test("trusts a link-local client with its zone by its address", () => {
  expect(new Origins(["fe80::/10"], false).of(from("fe80::1%eth0")).trusted).toBe(true);
});

test("a block of IPv4 written in IPv6's form is the same block", () => {
  expect(new Origins(["::ffff:10.0.0.0/104"], false).of(from("10.1.2.3")).trusted).toBe(true);
});

test("carries whether Via is added", () => {
  expect(new Origins([], true).of(from("192.0.2.1")).via).toBe(true);
});
