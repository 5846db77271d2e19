import { EventReader, type ServerSentEvent } from "./event-reader.ts";

/** How it stands with a stream of events. */
export type FollowState =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  /** `why` is for people. It is tried again by itself. */
  | { readonly kind: "lost"; readonly why: string }
  /** The API asks for a token, or for another one. Tried again when `retry` is called. */
  | { readonly kind: "denied" };

/** What is followed, and who is told. */
export interface FollowOptions {
  /** Asks for the stream; `lastId` is `""` at first. Also works with a token, which `EventSource` does not. */
  readonly open: (lastId: string, signal: AbortSignal) => Promise<Response>;
  readonly event: (event: ServerSentEvent) => void;
  readonly state: (state: FollowState) => void;
  /** Says to people why `open` failed; `null` for what cannot be said. */
  readonly why?: (error: unknown) => string | null;
  /** Longest silence in milliseconds; beyond it the stream is taken for dead, as after a laptop's sleep. 0 for no limit. */
  readonly silenceMs: number;
  /** Wait before the second try, in milliseconds; doubled with each that fails. 500 unless told. */
  readonly waitMs?: number;
}

/** A stream that is followed until it is closed. */
export interface Following {
  /** Tries now what would be tried later. */
  retry(): void;
  close(): void;
}

const FIRST_WAIT_MS = 500;
/** Longest wait between two tries: who looks at the page sees Weir come back soon. */
const LONGEST_WAIT_MS = 4000;

/** Follows a stream of server-sent events and, whenever it ends, opens it again where it ended. In a browser as under Bun. */
export function follow(options: FollowOptions): Following {
  let closed = false;
  const ended = (): boolean => closed;
  let wake: () => void = () => {};
  let current = new AbortController();

  async function once(reader: EventReader): Promise<FollowState> {
    current = new AbortController();
    const { signal } = current;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const alive = (): void => {
      clearTimeout(timer);
      if (options.silenceMs > 0) timer = setTimeout(() => current.abort(), options.silenceMs);
    };
    try {
      alive();
      const response = await options.open(reader.lastId, signal);
      if (response.status === 401) return { kind: "denied" };
      if (!response.ok || response.body === null) return { kind: "lost", why: `it answers ${response.status}` };
      options.state({ kind: "open" });
      const decoder = new TextDecoder();
      const body = response.body.getReader();
      signal.addEventListener("abort", () => void body.cancel().catch(() => {}));
      for (;;) {
        const { value, done } = await body.read();
        if (done) return { kind: "lost", why: signal.aborted ? "it is silent" : "it ended the stream" };
        alive();
        for (const event of reader.push(decoder.decode(value, { stream: true }))) options.event(event);
      }
    } catch (error) {
      const why = options.why?.(error) ?? "it cannot be reached";
      return { kind: "lost", why: signal.aborted ? "it is silent" : why };
    } finally {
      clearTimeout(timer);
      current.abort();
    }
  }

  async function run(): Promise<void> {
    const firstMs = options.waitMs ?? FIRST_WAIT_MS;
    let waitMs = firstMs;
    let lastId = "";
    for (;;) {
      options.state({ kind: "connecting" });
      const reader = new EventReader(lastId);
      const state = await once(reader);
      if (ended()) return;
      if (reader.used) waitMs = firstMs;
      ({ lastId } = reader);
      options.state(state);
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (state.kind !== "denied") setTimeout(resolve, waitMs);
      });
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      if (ended()) return;
    }
  }

  void run();
  return {
    retry: () => wake(),
    close: () => {
      closed = true;
      current.abort();
      wake();
    },
  };
}
