import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hmacSha256 } from "../engine/affinity.ts";
import { AffinityValues, type Mac } from "./affinity.ts";

const BACKENDS = ["10.0.0.1:80", "10.0.0.2:80", "unix:/run/app.sock"];
const SECRET = "sixteen bytes are the least";
const BITS = 30 * 8;

function values(secret = SECRET, pool = "app", backends: readonly string[] = BACKENDS): AffinityValues {
  return new AffinityValues(hmacSha256(secret), pool, backends);
}

const anyPin = fc.record({ index: fc.nat(BACKENDS.length - 1), issuedSeconds: fc.nat(2 ** 40 - 1) });
const anySecret = fc.string({ minLength: 16, maxLength: 64 });

describe("a value", () => {
  test("says again what it was made of, also to another Weir with the same secret", () => {
    fc.assert(
      fc.property(anySecret, anyPin, (secret, pin) => {
        const made = values(secret);
        const value = made.write(pin);
        expect(value).toMatch(/^[A-Za-z0-9_-]{40}$/);
        expect(made.read(value)).toEqual(pin);
        expect(values(secret).read(value)).toEqual(pin);
      }),
    );
  });

  test("means the same backend wherever that stands in the list", () => {
    const value = values().write({ index: 2, issuedSeconds: 5 });
    expect(values(SECRET, "app", ["new:1", ...BACKENDS]).read(value)).toEqual({ index: 3, issuedSeconds: 5 });
  });

  test("is refused with any bit flipped, any char changed and at any other length", () => {
    const reader = values();
    fc.assert(
      fc.property(anyPin, fc.nat(BITS - 1), (pin, bit) => {
        const bytes = Buffer.from(reader.write(pin), "base64url");
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(reader.read(bytes.toString("base64url"))).toBeNull();
      }),
    );
    fc.assert(
      fc.property(anyPin, fc.nat(39), fc.string({ minLength: 1, maxLength: 1 }), (pin, at, char) => {
        const value = reader.write(pin);
        fc.pre(value[at] !== char);
        expect(reader.read(value.slice(0, at) + char + value.slice(at + 1))).toBeNull();
        expect(reader.read(value.slice(0, at))).toBeNull();
        expect(reader.read(value + char)).toBeNull();
      }),
    );
  });

  test("of another secret, another pool or a backend that is gone is none", () => {
    fc.assert(
      fc.property(anySecret, anySecret, anyPin, (one, other, pin) => {
        fc.pre(one !== other);
        const value = values(one).write(pin);
        expect(values(other).read(value)).toBeNull();
        expect(values(one, "api").read(value)).toBeNull();
        const left = BACKENDS.filter((_, index) => index !== pin.index);
        expect(values(one, "app", left).read(value)).toBeNull();
      }),
    );
  });

  test("of no right form is none", () => {
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => expect(values().read(text)).toBeNull()));
  });

  test("discloses no address, and gives a backend another id in another pool", () => {
    const idOf = (pool: string): string => values(SECRET, pool).write({ index: 0, issuedSeconds: 0 }).slice(1, 11);
    expect(Buffer.from(values().write({ index: 0, issuedSeconds: 0 }), "base64url").toString("latin1")).not.toContain(
      "10.0",
    );
    expect(idOf("app")).not.toBe(idOf("api"));
  });

  // Computed by Python's hmac: a change would move every client of a running Weir, and is not made by accident.
  test("is the same in every version of Weir", () => {
    const value = values().write({ index: 1, issuedSeconds: 1_800_000_000 });
    expect(value).toBe("ASUNwF7GzBEOAGtJ0gCrLUPChFcJ7Oxz1Z-lRiY0");
  });
});

describe("what it costs", () => {
  function counted(): { readonly mac: Mac; calls: number } {
    const real = hmacSha256(SECRET);
    const counter = {
      calls: 0,
      mac: (message: Buffer) => {
        counter.calls += 1;
        return real(message);
      },
    };
    return counter;
  }

  test("a value is authenticated once, then known", () => {
    const counter = counted();
    const reader = new AffinityValues(counter.mac, "app", BACKENDS);
    const value = values().write({ index: 1, issuedSeconds: 7 });
    counter.calls = 0;
    for (let i = 0; i < 100; i++) expect(reader.read(value)?.index).toBe(1);
    expect(counter.calls).toBe(1);
  });

  test("guesses push out nothing, and cost nothing but where they name a backend of the pool", () => {
    const counter = counted();
    const reader = new AffinityValues(counter.mac, "app", BACKENDS);
    const value = values().write({ index: 1, issuedSeconds: 7 });
    reader.read(value);
    counter.calls = 0;
    for (let i = 0; i < 50_000; i++) reader.read(String(i).padStart(40, "A"));
    expect(counter.calls).toBe(0);
    expect(reader.read(value)?.index).toBe(1);
    expect(counter.calls).toBe(0);
  });
});
