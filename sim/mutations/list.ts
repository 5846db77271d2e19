/** A deliberate bug: a piece of a file, which must stand there once, and what takes its place. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Bugs as they are made: each was, or could have been, one of Weir's own. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a lost `drain`: the exchange is not told that its client has room again",
    file: "src/http1/client-connection.ts",
    find: "if (this.#events !== null && !this.#responded) this.#events.clientWritable();",
    replace: "if (this.#events !== null && this.#responded) this.#events.clientWritable();",
  },
  {
    name: "a lost `drain` of a backend: the client stays paused",
    file: "src/http1/backend-connection.ts",
    find: "this.#asked) this.#events.backendWritable();",
    replace: "!this.#asked) this.#events.backendWritable();",
  },
  {
    name: "a dirty connection is used again: more came than the response",
    file: "src/http1/backend-connection.ts",
    find: "else if (this.#body.done) this.#complete(at < bytes.length);",
    replace: "else if (this.#body.done) this.#complete(false);",
  },
  {
    name: "bytes on an idle connection are not its end",
    file: "src/http1/backend-connection.ts",
    find: "      // Nothing was asked: whatever this is, it must not become the answer to the next request.\n      this.close();\n",
    replace: "",
  },
  {
    name: "a connection is used again although its request was not sent to the end",
    file: "src/http1/backend-connection.ts",
    find: "      this.#requestDone &&\n      this.#bodyLeft <= 0 &&\n",
    replace: "",
  },
  {
    name: "a timer is not cleared: that of a client's connection, when it has become a tunnel or is gone",
    file: "src/http1/client-connection.ts",
    find: "    this.#context.wheel.remove(this.#timer);\n",
    replace: "",
  },
  {
    name: "a deadline is never set: of a client that does not read the end of its response",
    file: "src/http1/client-connection.ts",
    find: '      this.#state = "flushing";\n      this.#context.wheel.set(this.#timer, this.#bodyMs);',
    replace: '      this.#state = "flushing";',
  },
  {
    name: "an off-by-one in chunk framing: sizes whose first digit is 1 are written with a digit too few",
    file: "src/http1/chunk-writer.ts",
    find: "rest > 0; rest = Math.floor(rest / 16)) digits",
    replace: "rest > 1; rest = Math.floor(rest / 16)) digits",
  },
  {
    name: "an off-by-one in chunk reading: a chunk may end one byte early at the end of a read",
    file: "src/http1/body-reader.ts",
    find: "        case CHUNK.data: {\n          const stop = Math.min(end, at + this.#remaining);",
    replace:
      "        case CHUNK.data: {\n          if (this.#remaining === 1 && at === end - 1) this.#remaining = 0;\n          const stop = Math.min(end, at + this.#remaining);",
  },
  {
    name: "a backend is not paused for a slow client",
    file: "src/proxy/http-exchange.ts",
    find: "    if (this.#client.blocked) this.#current?.pauseBody();\n",
    replace: "",
  },
  {
    name: "a client is not paused for a slow backend",
    file: "src/proxy/http-exchange.ts",
    find: "    if (attempt.blocked) this.#client.pauseBody();\n",
    replace: "",
  },
  {
    name: "a tunnel does not pause",
    file: "src/proxy/tunnel.ts",
    find: "    if (peer.#outbox.blocked) this.pause();\n",
    replace: "",
  },
  {
    name: "what a client sent ahead is dropped",
    file: "src/http1/client-connection.ts",
    find: "      if (at < bytes.length) this.#keepPending(bytes, at);\n      break;",
    replace: "      break;",
  },
  {
    name: "an attempt that failed stays in flight",
    file: "src/proxy/http-attempt.ts",
    find: "    this.#end();\n    this.#owner.attemptFailed(this, code, detail);",
    replace: '    this.#state = "over";\n    this.#owner.attemptFailed(this, code, detail);',
  },
  {
    name: "a POST is repeated on a fresh connection",
    file: "src/proxy/attempts.ts",
    find: "return this.#whole() && (this.repeatable || !attempt.sent);",
    replace: "return this.#whole();",
  },
  {
    name: "a GET is not repeated when its idle connection was closed",
    file: "src/proxy/attempts.ts",
    find: "return this.#whole() && (this.repeatable || !attempt.sent);",
    replace: "return this.#whole() && !attempt.sent;",
  },
  {
    name: "a request is repeated without the body that was too long to be kept",
    file: "src/proxy/kept-body.ts",
    find: "    this.whole = false;\n",
    replace: "",
  },
  {
    name: "what is gathered is not sent at the end of `drain`",
    file: "src/net/handlers.ts",
    find: "    socket.data.drained();\n    cork.flush();",
    replace: "    socket.data.drained();",
  },
  {
    name: "what the system did not take of the cork is kept without a copy",
    file: "src/net/outbox.ts",
    find: "this.#keep(Buffer.from(bytes.subarray(taken, length)), false);",
    replace: "this.#keep(bytes.subarray(taken, length), false);",
  },
  {
    name: "memory is given back that somebody else still reads",
    file: "src/net/outbox.ts",
    find: "if (!this.#shared) giveBack(bytes);",
    replace: "giveBack(bytes);",
  },
  {
    name: "a response that ends with the connection breaks off by a FIN",
    file: "src/http1/client-connection.ts",
    find: "if (this.#response.untilClose) this.#connection.terminate();\n    else this.#connection.close();",
    replace: "this.#connection.close();",
  },
  {
    name: "a broken response ends in good order",
    file: "src/http1/backend-connection.ts",
    find: "if (this.#responding && this.#body.untilClose",
    replace: "if (this.#responding",
  },
  {
    name: "a dialled connection that nobody waits for any more stays open",
    file: "src/http1/backend-connection.ts",
    find: "      this.#context.abandonedOver();\n      connection.terminate();",
    replace: "      this.#context.abandonedOver();",
  },
  {
    name: "a tunnel passes a FIN on before what waits",
    file: "src/net/outbox.ts",
    find: "if (!this.blocked && this.#connection !== null) this.#connection.shutdown();",
    replace: "if (this.#connection !== null) this.#connection.shutdown();",
  },
  {
    name: "a lost commit: a worker stays with the old plan",
    file: "src/engine/create.ts",
    find: "        this.#commit(plan, placement, built, sockets);\n",
    replace: "        if (this.#options.worker !== 0) this.#commit(plan, placement, built, sockets);\n",
  },
  {
    name: "a backend that has left its pool still gets the work of those who waited before",
    file: "src/probe/health-loop.ts",
    find: "    for (const { line, rows } of this.#gone) words.withdraw(line, rows);\n",
    replace: "",
  },
  {
    name: "a backend that has left its pool and is back is counted twice in its pool's sum",
    file: "src/engine/pool-at-work.ts",
    find: "const retired = left.filter(({ link }) => link.isRetired);",
    replace: "const retired = left;",
  },
  {
    name: "a row is reused early, while something is in flight on it",
    file: "src/engine/placements.ts",
    find: "      if (freeAtMs === null || now < freeAtMs) continue;\n      // Of a pool only its backends tell what is in flight.\n      if (line === NO_LINE && shared.counters.inFlight(row) !== 0) continue;\n",
    replace: "      if (freeAtMs === null || now < 0) continue;\n",
  },
  {
    name: "a changed pool forgets the sum of what is in flight",
    file: "src/engine/pool-at-work.ts",
    find: "counters.sumInFlight(section, row, [...rows, ...retired.map((each) => each.row)]);",
    replace: "counters.sumInFlight(section, row, []);",
  },
  {
    name: "the sum of what is in flight is given up where a changed pool does not ask for it",
    file: "src/engine/pool-at-work.ts",
    find: "learnt !== null || room !== null || tools.sums.has(place.row);",
    replace: "learnt !== null || room !== null;",
  },
  {
    name: "a drain closes connections that are at work",
    file: "src/http1/client-connection.ts",
    find: 'if (this.#state === "idle") this.#context.wheel.set(this.#timer, LAST_REQUEST_MS);',
    replace: "this.#close();",
  },
  {
    name: "a drain does not wait for those that are at work",
    file: "src/engine/create.ts",
    find: "const isOver = (): boolean => this.#clients() === 0 || clock.now() >= deadline;",
    replace: "const isOver = (): boolean => true || clock.now() >= deadline;",
  },
  {
    name: "a full listener never accepts again",
    file: "src/engine/door.ts",
    find: "    this.#paused = false;\n    this.#listening?.resume?.();\n",
    replace: "    this.#paused = false;\n",
  },
  {
    name: "a client that has gone is not counted out of its room",
    file: "src/engine/live-listener.ts",
    find: "      entrance.leave();\n      this.#own?.leave();\n",
    replace: "      this.#own?.leave();\n",
  },
  {
    name: "a full listener goes on accepting",
    file: "src/engine/entrance.ts",
    find: "    for (const door of this.#doors) door.shut();\n    this.#pauses",
    replace: "    this.#pauses",
  },
  {
    name: "who is turned away takes a place",
    file: "src/engine/crowd.ts",
    find: "    if (this.#count >= this.#most) return false;\n",
    replace: "",
  },
  {
    name: "a slot is taken without a look at those of other workers",
    file: "src/observe/slots.ts",
    find: "      if (this.#total() <= most) return true;\n",
    replace: "      if (this.own <= most) return true;\n",
  },
  {
    name: "what a probe has found out is not published",
    file: "src/pool/keeper.ts",
    find: "    if (turned) this.#changed = true;\n",
    replace: "",
  },
  {
    name: "a probe that was told nothing has passed",
    file: "src/probe/probe.ts",
    find: 'else this.fail("BACKEND_RESPONSE_TIMEOUT", `no complete answer ${within}`);',
    replace: "else this.pass(null);",
  },
  {
    name: "a request is asked again at a backend that was removed and whose time is over",
    file: "src/proxy/attempts.ts",
    find: "    if (this.#first?.responded !== true) this.#failovers().without(links);\n",
    replace: "",
  },
  {
    name: "a tunnel is closed as idle before its time",
    file: "src/proxy/tunnel.ts",
    find: "    this.#wheel.set(this.#timer, this.#idleMs);\n    if (fromClient)",
    replace: "    if (fromClient)",
  },
];
