import type { BackendPatch, ProblemDocument } from "../src/admin/model-writes.ts";
import type { PoolView } from "../src/admin/model.ts";

/** Kept until the tab is closed, and sent to nobody but this page's own origin. */
const TOKEN = "weir-token";

/** What came of a request. */
export type Answer<Value> = { readonly value: Value } | { readonly problem: string; readonly status: number };

/** Sets the token that is sent from now on. */
export function useToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

function headers(others: Readonly<Record<string, string>>): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return { ...others, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
}

/** Opens a stream of events. @param lastId what it resumes after; `""` for none */
export function openStream(path: string, lastId: string, signal: AbortSignal): Promise<Response> {
  const resume: Record<string, string> = lastId === "" ? {} : { "last-event-id": lastId };
  return fetch(path, { headers: headers({ accept: "text/event-stream", ...resume }), signal, cache: "no-store" });
}

/** Everything about a pool. */
export function readPool(name: string): Promise<Answer<PoolView>> {
  return ask(`/v1/pools/${encodeURIComponent(name)}`, { headers: headers({ accept: "application/json" }) });
}

/** Changes a backend. */
export function patchBackend(pool: string, id: string, patch: BackendPatch): Promise<Answer<unknown>> {
  return ask(`/v1/pools/${encodeURIComponent(pool)}/backends/${encodeURIComponent(id)}`, {
    method: "PATCH",
    headers: headers({ accept: "application/json", "content-type": "application/json" }),
    body: JSON.stringify(patch),
  });
}

async function ask<Value>(path: string, init: RequestInit): Promise<Answer<Value>> {
  try {
    const response = await fetch(path, { ...init, signal: AbortSignal.timeout(15_000), cache: "no-store" });
    if (response.ok) return { value: (await response.json()) as Value };
    return { problem: await problemOf(response), status: response.status };
  } catch {
    return { problem: "The admin API does not answer.", status: 0 };
  }
}

async function problemOf(response: Response): Promise<string> {
  try {
    const { detail, mend } = (await response.json()) as Partial<ProblemDocument>;
    return [detail, mend].filter((part) => part !== undefined && part !== "").join(" ");
  } catch {
    return `The admin API answered ${response.status}.`;
  }
}
