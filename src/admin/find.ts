import { nearest } from "../config/schema/suggest.ts";
import { backendIdOf } from "../config/overlay/overlay.ts";
import { WeirError } from "../errors.ts";
import type { PoolPlan } from "../plan.ts";
import type { Running } from "./running.ts";

/** Of what there is, so many are named where none is near to what was asked for. */
const MOST_NAMED = 10;

/** The pool of this name. @throws ADMIN_NOT_FOUND */
export function existing({ plan }: Running, name: string): PoolPlan {
  const pool = plan.pools.find((each) => each.name === name);
  if (pool !== undefined) return pool;
  throw unknown(
    "pool",
    name,
    plan.pools.map((each) => each.name),
  );
}

/**
 * A backend of a pool by its address, in any form that a configuration has for it.
 * @throws ADMIN_NOT_FOUND
 */
export function findBackend(
  running: Running,
  poolName: string,
  address: string,
): { readonly pool: PoolPlan; readonly index: number; readonly id: string } {
  const pool = existing(running, poolName);
  const id = backendIdOf({ address }) ?? address;
  const index = pool.backends.findIndex((backend) => backend.id === id);
  if (index !== -1) return { pool, index, id };
  throw unknown(
    `backend in pool ${poolName}`,
    address,
    pool.backends.map((backend) => backend.id),
  );
}

/** That there is no such thing, with what was probably meant, or what there is. */
export function unknown(what: string, name: string, names: readonly string[]): WeirError {
  const meant = nearest(name, names);
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  const there = `; there are: ${names.slice(0, MOST_NAMED).join(", ")}${more}`;
  const hint = meant === null ? there : `; did you mean "${meant}"?`;
  return new WeirError("ADMIN_NOT_FOUND", `there is no ${what} "${name}"${names.length === 0 ? "" : hint}`);
}
