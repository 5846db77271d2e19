import { createHmac, createSecretKey } from "node:crypto";
import type { WallClock } from "../clock.ts";
import type { HealthWords } from "../observe/health-words.ts";
import type { PoolPlan } from "../plan.ts";
import type { Affinity, Mac } from "../pool/affinity.ts";
import { CookieAffinity } from "../route/cookie-affinity.ts";

/** The affinity of a pool, with its secret made into a MAC; `null` where it has none. */
export function makeAffinity(
  { name, affinity, backends }: PoolPlan,
  words: HealthWords,
  rows: readonly number[],
  clock: WallClock,
): Affinity | null {
  if (affinity === null) return null;
  // Whoever makes an engine reads the generated secret first: a worker has no business with files.
  if (affinity.secret === null) throw new Error(`the affinity of pool ${name} has no secret`);
  const mac = hmacSha256(affinity.secret);
  return new CookieAffinity({
    plan: affinity,
    pool: name,
    backends: backends.map(({ id }) => id),
    mac,
    words,
    rows,
    clock,
  });
}

/** HMAC-SHA-256 under a secret. */
export function hmacSha256(secret: string): Mac {
  const key = createSecretKey(secret, "utf8");
  return (message) => createHmac("sha256", key).update(message).digest();
}
