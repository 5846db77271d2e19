import { expect, test } from "bun:test";
import { routeHost, routePath } from "./matches.ts";

test.each([
  ["API.Example.com", "api.example.com"],
  ["example.com.", "example.com"],
  ["*.Example.com", "*.example.com"],
  ["localhost", "localhost"],
  ["10.0.0.1", "10.0.0.1"],
  ["[::1]", "[::1]"],
])("the host %s is %s", (text, host) => {
  expect(routeHost(text)).toBe(host);
});

test.each([
  ["*", "no host key at all for every host"],
  ["a.*.com", '"*.example.com"'],
  ["*example.com", '"*.example.com"'],
  ["*.*.com", '"*.example.com"'],
  ["example.com:80", "the host alone"],
  ["bücher.example", '"xn--bcher-kva.example"'],
  ["::1", '"[::1]"'],
  ["*.10.0.0.1", "the address alone"],
  ["*.[::1]", "the address alone"],
  ["", "a form such as"],
  ["a b", "a form such as"],
  ["http://a", "a form such as"],
  ["a/b", "a form such as"],
])("the host %p is refused, with a mend", (text, mend) => {
  expect(() => routeHost(text)).toThrow(`; use ${mend}`);
});

test.each([
  ["/", "/"],
  ["/v1", "/v1"],
  ["/v1/", "/v1/"],
  ["/v1/*", "/v1/*"],
  ["/a%20b", "/a%20b"],
  ["/*", null],
])("the path %s is %p", (text, path) => {
  expect(routePath(text)).toBe(path);
});

test.each([
  ["v1", '"/v1"'],
  ["", '"/"'],
  ["*", '"/*"'],
  ["/v1*", '"/path/*" for a prefix'],
  ["/*/v1", '"/path/*" for a prefix'],
  ["/*/*", '"/path/*" for a prefix'],
  ["/a?b=1", '"/a"'],
  ["/a#b", '"/a"'],
  ["/a b", '"/a%20b"'],
  ["/ü", '"/%C3%BC"'],
])("the path %p is refused, with a mend", (text, mend) => {
  expect(() => routePath(text)).toThrow(`; use ${mend}`);
});
