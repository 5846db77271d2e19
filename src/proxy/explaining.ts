import type { Head } from "../http/head.ts";
import type { Origin } from "../http/streams.ts";

/** Explains requests that ask for it (`weir-explain`), in a field of their response. */
export interface Explaining {
  /**
   * Explains where a request is about to go. To be called before its backend is chosen.
   * @returns `null` where it shows no token, or nobody may ask
   */
  of(request: Head, origin: Origin): ExplainedRequest | null;
}

/** A request that was explained. */
export interface ExplainedRequest {
  /**
   * The line for its response, with its CRLF; at most 2 KiB.
   * @param answered the backend that the response is of, by its position in its pool; -1 where it is Weir's own
   */
  line(answered: number): Buffer;
}
