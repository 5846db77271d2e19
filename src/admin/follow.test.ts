import { expect, test } from "bun:test";
import { follow, type FollowState } from "./follow.ts";

/** A server that the test plays: it decides what each try meets. */
function played(tries: readonly (() => Response | Promise<Response>)[]): {
  readonly asked: string[];
  readonly open: (lastId: string, signal: AbortSignal) => Promise<Response>;
} {
  const asked: string[] = [];
  return {
    asked,
    open: async (lastId, signal) => {
      asked.push(lastId);
      const make = tries[asked.length - 1];
      if (make !== undefined) return make();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    },
  };
}

/** Resolved with all states up to the one that is waited for. */
function states(): {
  readonly state: (state: FollowState) => void;
  readonly until: (kind: string, times?: number) => Promise<FollowState[]>;
} {
  const all: FollowState[] = [];
  const waiting = new Set<() => void>();
  return {
    state(state) {
      all.push(state);
      for (const look of waiting) look();
    },
    until: (kind, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (all.filter((state) => state.kind === kind).length < times) return;
          waiting.delete(look);
          resolve([...all]);
        };
        waiting.add(look);
        look();
      }),
  };
}

test("a stream that ends is opened again where it ended", async () => {
  const server = played([() => new Response("id: 5\ndata: a\n\n"), () => new Response("id: 6\ndata: b\n\n")]);
  const { state, until } = states();
  const got: string[] = [];
  const following = follow({
    open: server.open,
    state,
    silenceMs: 0,
    waitMs: 1,
    event: ({ data }) => void got.push(data),
  });
  await until("connecting", 3);
  following.close();
  expect(got).toEqual(["a", "b"]);
  expect(server.asked).toEqual(["", "5", "6"]);
});

test("what cannot be reached is said to be lost, and tried again", async () => {
  const server = played([() => Promise.reject(new Error("refused")), () => new Response(null, { status: 503 })]);
  const { state, until } = states();
  const following = follow({ open: server.open, state, silenceMs: 0, waitMs: 1, event: () => {} });
  const seen = await until("lost", 2);
  following.close();
  expect(seen.filter(({ kind }) => kind === "lost")).toEqual([
    { kind: "lost", why: "it cannot be reached" },
    { kind: "lost", why: "it answers 503" },
  ]);
});

test("silence is a loss too", async () => {
  const server = played([() => new Response(new ReadableStream())]);
  const { state, until } = states();
  const following = follow({ open: server.open, state, silenceMs: 20, waitMs: 1, event: () => {} });
  const seen = await until("lost");
  following.close();
  expect(seen.at(-1)).toEqual({ kind: "lost", why: "it is silent" });
});

test("without the right token nothing is tried until there is another", async () => {
  const server = played([() => new Response(null, { status: 401 }), () => new Response("data: in\n\n")]);
  const { state, until } = states();
  const got = Promise.withResolvers<string>();
  const following = follow({
    open: server.open,
    state,
    silenceMs: 0,
    waitMs: 1,
    event: ({ data }) => got.resolve(data),
  });
  await until("denied");
  expect(server.asked.length).toBe(1);
  following.retry();
  expect(await got.promise).toBe("in");
  following.close();
});
