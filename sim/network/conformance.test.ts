import { describe, expect, test } from "bun:test";
import { type Act, playReal, playSimulated, type Side, type Turn } from "./conformance.ts";

/** As many as show all that the simulated network may do of a script. */
const SEEDS = 150;

const DO =
  (side: Side) =>
  (act: Act): readonly [Side, Act] => [side, act];
const d = DO("dialled");
const a = DO("accepted");

/** The rules that `endpoint.ts` follows: each is what Bun's own sockets are seen to do. */
const RULES: Record<string, readonly Turn[]> = {
  "bytes arrive": [[d("some")], [a("some")]],
  "close tells its own side at once, the other of an end": [[d("close")], [d("some")], [a("close")]],
  "terminate tells its own side at once, the other of a reset": [[d("terminate")], [d("some")], [a("some")]],
  "a FIN leaves the other way open": [[d("shutdown")], [d("some"), a("some")], [a("shutdown")]],
  "who has sent a FIN is not told of the other's, but closed": [[d("shutdown")], [a("some"), a("shutdown")]],
  "two FINs that cross close both sides": [[d("shutdown"), a("shutdown")]],
  "a second shutdown does nothing": [[d("shutdown"), d("shutdown")]],
  "what is done after a close does nothing": [
    [d("close"), d("close"), d("terminate"), d("shutdown"), d("pause"), d("resume")],
  ],
  "a paused side is told of bytes and end when it reads on": [
    [a("pause"), d("some"), d("shutdown")],
    [a("resume")],
    [a("close")],
  ],
  "a paused side is told of a close when it reads on": [
    [a("pause"), d("some"), d("close")],
    [a("resume")],
    [a("close")],
  ],
  "a paused side is told of a reset, and of bytes before it": [[a("pause"), d("some"), d("terminate")], [a("resume")]],
  "bytes before a reset arrive": [[d("some"), d("terminate")]],
  "bytes before a close arrive": [[d("some"), d("close")], [a("close")]],
  "a close with bytes unread is a reset": [[d("pause"), a("some")], [d("close")], [a("some")]],
  "a write to one who has closed is taken, and answered with a reset": [[d("close")], [a("some")], [a("some")]],
  "a write takes what fits, and room for the rest is told": [[a("pause"), d("much")], [a("resume")]],
  "a reset ends the wait for room": [[a("pause"), d("much")], [a("terminate")], [d("some")]],
  "a close with much unread ends the wait for room": [[a("pause"), d("much")], [a("close")]],
  "a write that meets a reset eats it: what follows looks like an end": [
    [a("some"), a("terminate"), d("some"), d("some")],
  ],
  "a paused side whose write meets a reset is told nothing more until it reads on": [
    [d("pause")],
    [a("some"), a("terminate"), d("some")],
    [d("resume")],
  ],
  "a shutdown that meets a reset is told of it": [[a("terminate"), d("shutdown")]],
  "a close behind a FIN resets who still writes": [[d("shutdown")], [d("close")], [a("some")], [a("some")]],
  "a FIN behind much arrives after all of it": [[a("pause"), d("much"), d("shutdown")], [a("resume")]],
};

describe("the simulated network does what Bun's sockets do", () => {
  for (const [rule, script] of Object.entries(RULES))
    test(rule, async () => {
      const possible = Array.from({ length: SEEDS }, (_, seed) => playSimulated(script, seed));
      const seen = await playReal(script, possible);
      const whole = possible.map((each) => each.join("\n"));
      expect([...new Set(whole)]).toContain(seen.join("\n"));
    });
});
