import type { ListenedClient } from "../../../engine/client-facts.ts";
import { addressOf, UNKNOWN_ADDRESS } from "../../../http/origin.ts";
import type { Question } from "./question.ts";

/** Numbers of connections that were asked for: given when they are first listed, so that one that nobody asks for costs nothing. */
const numbers = new WeakMap<object, number>();
/** Not from 1: a later process may have this one's process id, in a container at each start, and what was numbered here is to be unknown there. */
const first = Number(crypto.getRandomValues(new Uint32Array(1))[0]);
let next = first;

/** A connection that is upgraded becomes a tunnel, and has another number from then on. */
function numberOf({ of }: ListenedClient): number {
  const known = numbers.get(of);
  if (known !== undefined) return known;
  numbers.set(of, next);
  return next++;
}

function clientOf({ connection }: ListenedClient): string | null {
  const address = addressOf(connection);
  return address === UNKNOWN_ADDRESS ? null : address;
}

/** Clients' connections that fit `{ listener, client, state }`, at most `limit` of them, and how many do. */
export const clients: Question = {
  name: "clients",
  answer(engine, argument) {
    const { limit, listener, client, state } = argument as Readonly<Record<string, unknown>>;
    const fits = (value: unknown, wanted: unknown): boolean =>
      wanted === undefined || wanted === null || value === wanted;
    const all = engine
      .clients()
      .filter((each) => fits(each.listener, listener) && fits(each.state, state) && fits(clientOf(each), client));
    const connections = all.slice(0, Number(limit)).map((each) => ({
      id: numberOf(each),
      listener: each.listener,
      mode: each.mode,
      client: clientOf(each),
      state: each.state,
    }));
    return { connections, total: all.length };
  },
};

/** How many clients' connections are open, by the listener's name. */
export const open: Question = { name: "open", answer: (engine) => engine.open() };

/** Closes the connection with a number, `{ id }`. Answers whether it was open; `null` for a number that was never given. */
export const close: Question = {
  name: "close",
  answer(engine, argument) {
    const { id } = argument as { readonly id?: unknown };
    if (typeof id !== "number" || id < first || id >= next) return null;
    const found = engine.clients().find(({ of }) => numbers.get(of) === id);
    found?.close();
    return found !== undefined;
  },
};
