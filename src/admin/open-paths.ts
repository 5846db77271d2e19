import { join } from "node:path";
import { dashboardFile } from "./dashboard-files.ts";
import type { Running } from "./running.ts";

/** The table of error codes, to which `type` of a problem document leads. */
const ERRORS_PAGE = join(import.meta.dir, "../../docs/errors.md");

/**
 * What needs no token, since it says nothing of what is balanced: whether Weir lives and is ready, the files of the dashboard, and the
 * table of error codes.
 */
export function openPaths(
  running: Running,
): (path: string, known?: string | null) => Response | Promise<Response> | null {
  return (path, known) => {
    switch (path) {
      case "/healthz":
        return text(200, "alive");
      case "/readyz":
        return readiness(running);
      case "/docs/errors.md":
        return new Response(Bun.file(ERRORS_PAGE), { headers: { "content-type": "text/markdown; charset=utf-8" } });
      default:
        return dashboardFile(path, known);
    }
  };
}

/** Ready while it takes new work: a worker accepts, and it does not drain. */
function readiness({ phase, seats }: Running): Response {
  if (phase !== "running") return text(503, `not ready: ${phase}`);
  return seats.some(({ state }) => state === "running")
    ? text(200, "ready")
    : text(503, "not ready: no worker accepts");
}

function text(status: number, line: string): Response {
  return new Response(`${line}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
