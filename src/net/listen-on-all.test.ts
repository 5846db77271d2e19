import { expect, test } from "bun:test";
import { bindSockets } from "./bind.ts";
import { listenOnAll } from "./listen-on-all.ts";
import type { Receiver } from "./connection.ts";

const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

function nobody(): Receiver {
  throw new Error("nobody comes");
}

test("what goes with a socket goes with no later one of its number", () => {
  const { address, fds } = bindSockets(LOOPBACK, 2);
  const [own = -1, other = -1] = fds;
  const listen = listenOnAll(new Map([[own, [other]]]));
  listen({ address, fd: own, accept: nobody }).stop();
  // The system gives out the lowest number that is free.
  const later: number[] = [];
  while (later.at(-1) !== own && later.length < 100) later.push(...bindSockets(LOOPBACK, 1).fds);
  expect(later.at(-1)).toBe(own);
  const listening = later.map((fd) => listen({ address, fd, accept: nobody }));
  for (const each of listening) each.stop();
});
