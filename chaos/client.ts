/**
 * The load as a program: `client.ts PORT LANES`. A line on stdin begins a new tally, its end is the end of the load. Writes all tallies as a
 * line of JSON again and again, at last when every request has been answered or has failed.
 */
import { runLane } from "./lane.ts";
import { noTally, type Tally } from "./tally.ts";

/** How often the tallies are written. */
const TELL_MS = 50;

const [port = 0, lanes = 0] = process.argv.slice(2).map(Number);
const tallies: Tally[] = [noTally()];
const stop = new AbortController();

const running = Array.from({ length: lanes }, (_, lane) =>
  runLane({
    port,
    lane,
    fresh: lane % 3 === 0,
    signal: stop.signal,
    onRequest(method) {
      const tally = tallies.at(-1) ?? noTally();
      const count = method === "POST" ? tally.other : tally.idempotent;
      count.sent += 1;
      return (failed, tookMs) => {
        count.longestMs = Math.max(count.longestMs, tookMs);
        if (failed === null) count.right += 1;
        else count.failed[failed] = (count.failed[failed] ?? 0) + 1;
      };
    },
  }),
);
const tell = (): void => console.log(JSON.stringify(tallies));
const telling = setInterval(tell, TELL_MS);
for await (const line of console) if (line === "next") tallies.push(noTally());
stop.abort();
await Promise.all(running);
clearInterval(telling);
tell();
