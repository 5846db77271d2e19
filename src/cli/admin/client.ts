import type { z } from "zod";
import { type Address, formatAddress } from "../../address.ts";
import { problemSchema, type ProblemDocument } from "../../admin/model-writes.ts";
import { readToken } from "../../admin/token.ts";
import { listenAddress } from "../../config/check/addresses.ts";
import { DEFAULT_ADMIN } from "../../config/schema/defaults.ts";
import type { Problem } from "../../config/files/problems.ts";
import { type ErrorCode, ERRORS, WeirError } from "../../errors.ts";

/** Says no, as the running Weir did. */
export class Refused extends WeirError {
  readonly document: ProblemDocument;

  constructor(document: ProblemDocument) {
    super(known(document.code), document.detail);
    this.document = document;
  }

  /** Everything that is wrong, for people. */
  get problems(): readonly Problem[] {
    return (this.document.problems ?? []).map((problem) => ({ ...problem, code: known(problem.code) }));
  }
}

/** A later version of Weir may know more codes than this one. */
function known(code: string): ErrorCode {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "ADMIN_REFUSED";
}

/** How long a change may take: a plan of ten thousand backends, and a configuration that is slow to load. */
const ANSWER_MS = 60_000;

/** A running Weir, by its admin API. */
export class AdminClient {
  readonly #address: Address;
  readonly #token: string | null;

  /**
   * @param address of the admin API; `null` for the usual one
   * @param tokenFile `null` where none is needed
   * @throws CONFIG_BAD_ADDRESS, ADMIN_TOKEN_UNSAFE
   */
  constructor(address: string | null, tokenFile: string | null) {
    this.#address = listenAddress(address ?? DEFAULT_ADMIN);
    this.#token = tokenFile === null ? null : readToken(tokenFile);
  }

  /** @throws ADMIN_UNREACHABLE, Refused */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#read("GET", path, schema);
  }

  /** @throws ADMIN_UNREACHABLE, Refused */
  send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    return this.#read(method, path, schema, body);
  }

  /**
   * Asks for a stream of events.
   * @throws ADMIN_UNREACHABLE, Refused
   */
  async stream(path: string, lastId: string, signal?: AbortSignal): Promise<Response> {
    const response = await this.#fetch(path, {
      headers: lastId === "" ? {} : { "last-event-id": lastId },
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw await refusalOf(response);
    if (response.headers.get("content-type")?.startsWith("text/event-stream") === true) return response;
    await response.body?.cancel();
    throw this.#stranger();
  }

  async #read<T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const response = await this.#fetch(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) throw await refusalOf(response);
    const result = schema.safeParse(await response.json().catch(() => null));
    if (result.success) return result.data;
    throw this.#stranger();
  }

  #stranger(): WeirError {
    const address = formatAddress(this.#address);
    return new WeirError("ADMIN_UNREACHABLE", `${address} does not answer as a Weir of this version`);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const address = this.#address;
    const host = address.kind === "unix" ? "localhost" : formatAddress({ ...address, host: reachable(address.host) });
    const headers = new Headers(init.headers);
    if (this.#token !== null) headers.set("authorization", `Bearer ${this.#token}`);
    const options = { ...init, headers, ...(address.kind === "unix" ? { unix: address.path } : {}), timeout: false };
    try {
      return await fetch(`http://${host}${path}`, options);
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") throw error;
      const why =
        error instanceof Error && error.name === "TimeoutError" ? "did not answer in time" : "nothing answers";
      throw new WeirError("ADMIN_UNREACHABLE", `${why} at ${formatAddress(address)}`, error);
    }
  }
}

/** Every interface is reached by the loopback. */
function reachable(host: string | null): string {
  return host === null || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}

async function refusalOf(response: Response): Promise<WeirError> {
  const result = problemSchema.safeParse(await response.json().catch(() => null));
  if (result.success) return new Refused(result.data);
  return new WeirError("ADMIN_UNREACHABLE", `what answers is no Weir: it says ${response.status}`);
}
