import { expect, test } from "bun:test";
import { setCookieLine } from "./affinity-cookie.ts";

const FORM = { name: "weir", path: "/", maxAgeSeconds: null, secure: false };

test("a cookie of a session, for this host alone", () => {
  expect(setCookieLine(FORM, "abc").toString()).toBe("Set-Cookie: weir=abc; Path=/; HttpOnly; SameSite=Lax\r\n");
});

test("a cookie for a time, and for TLS only", () => {
  expect(
    setCookieLine({ ...FORM, name: "a", path: "/shop", maxAgeSeconds: 3600, secure: true }, "abc").toString(),
  ).toBe("Set-Cookie: a=abc; Path=/shop; Max-Age=3600; HttpOnly; SameSite=Lax; Secure\r\n");
});
