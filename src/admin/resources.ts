import type { LiveFeed } from "./live.ts";
import type { Resource } from "./resource.ts";
import { BACKENDS } from "./resources/backends.ts";
import { CONNECTIONS } from "./resources/connections.ts";
import { CONTROL } from "./resources/control.ts";
import { EXPLAIN } from "./resources/explain.ts";
import { POOLS } from "./resources/pools.ts";
import { STATUS } from "./resources/status.ts";
import { streams } from "./resources/streams.ts";

/** Every resource of the API: the only list. @param live feeds `/v1/live` */
export function resources(live: LiveFeed): readonly Resource[] {
  return [...STATUS, ...POOLS, ...BACKENDS, ...CONNECTIONS, ...EXPLAIN, ...streams(live), ...CONTROL];
}
