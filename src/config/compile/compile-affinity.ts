import type { AffinityPlan } from "../../plan.ts";
import type { ReadAffinity } from "../schema/affinity-schema.ts";
import { DEFAULT_COOKIE, DEFAULT_COOKIE_PATH, DEFAULT_PINNED_MS } from "../schema/defaults.ts";

type LongAffinity = Exclude<ReadAffinity, boolean>;

/** Makes the affinity plan of a pool; `null` where it keeps no client. */
export function affinityOf(read: ReadAffinity | undefined): AffinityPlan | null {
  const given = sectionOf(read);
  if (given === null) return null;
  return {
    cookie: given.cookie ?? DEFAULT_COOKIE,
    ttlSeconds: given.ttl === undefined ? null : Math.floor(given.ttl / 1000),
    path: given.path ?? DEFAULT_COOKIE_PATH,
    secret: given.secret ?? null,
  };
}

/** How long a backend of the pool that drains keeps its clients, in milliseconds; 0 where the pool keeps none. */
export function pinnedMsOf(read: ReadAffinity | undefined): number {
  const given = sectionOf(read);
  return given === null ? 0 : (given.drainTimeout ?? DEFAULT_PINNED_MS);
}

function sectionOf(read: ReadAffinity | undefined): LongAffinity | null {
  if (read === undefined || read === false) return null;
  return read === true ? {} : read;
}
