import { appliedSchema, type BackendPatch } from "../../admin/model-writes.ts";
import { WeirError } from "../../errors.ts";
import type { AdminClient } from "../admin/client.ts";

/** The admin API as a view that moves needs it: two streams, and one write. */
export interface TopApi {
  readonly stream: (path: string, lastId: string, signal: AbortSignal) => Promise<Response>;
  /** @returns what came of it, in words */
  readonly patch: (pool: string, backend: string, patch: BackendPatch) => Promise<string>;
}

/** The API of a running Weir. */
export function topApi(client: AdminClient): TopApi {
  return {
    async stream(path, lastId, signal) {
      try {
        return await client.stream(path, lastId, signal);
      } catch (error) {
        if (error instanceof WeirError && error.code === "ADMIN_UNAUTHORIZED")
          return new Response(null, { status: 401 });
        throw error;
      }
    },
    async patch(pool, backend, patch) {
      const path = `/v1/pools/${encodeURIComponent(pool)}/backends/${encodeURIComponent(backend)}`;
      try {
        await client.send("PATCH", path, appliedSchema, patch);
        return `${pool}/${backend}: ${patch.state ?? `weight ${patch.weight ?? ""}`}`;
      } catch (error) {
        return `${pool}/${backend} was not changed: ${error instanceof WeirError ? error.detail : String(error)}`;
      }
    },
  };
}
