import { routeKey } from "../../config/overlay/overlay.ts";
import type { RouteView } from "../model.ts";
import type { Running } from "../running.ts";

/** All routes of all listeners. */
export function routeViews({ plan }: Running): RouteView[] {
  return plan.listeners.flatMap(({ name, routes }) =>
    routes.map(({ host, path, pool }) => ({
      id: `${name}:${routeKey(host, path)}`,
      listener: name,
      host,
      path,
      pool,
    })),
  );
}
