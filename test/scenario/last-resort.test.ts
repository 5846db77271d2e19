import { expect, test } from "bun:test";
import { HEALTH_FLAG } from "../../src/observe/health-words.ts";
import { backend, client, get, NOBODY, ok, weir } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";

const DEAD = [NOBODY[0]!, NOBODY[1]!];
const { ejected, down, drain } = HEALTH_FLAG;

/** The third backend is out, and the first two, which are held to be well, do not answer. */
function publication(flag: number): { weights: number[]; flags: number[]; panic: boolean; scale: number } {
  return { weights: [1, 1, 0], flags: [0, 0, flag], panic: false, scale: 1 };
}

for (const poolLimits of [undefined, { maxInFlight: 5 }])
  for (const policy of ["round-robin", "ring"])
    test(`a backend that is only ejected is asked when all others fail, ${policy}${poolLimits === undefined ? "" : ", with a gate"}`, async () => {
      await using app = backend(() => ok("alive"));
      const more = poolLimits === undefined ? {} : { poolLimits };
      await using lb = weir({ backends: [...DEAD, app], policy, health: { passive: null }, ...more });
      await using user = await client(lb);
      for (const [flag, status] of [
        [ejected, 200],
        [ejected | down, 502],
        [drain, 502],
      ] as const) {
        lb.words.publish(0, [0, 1, 2], publication(flag));
        expect([flag, (await user.ask(get())).status]).toEqual([flag, status]);
      }
      expect(app.requests.length).toBe(1);
    });

test("in mode tcp too", async () => {
  await using app = backend(() => ok("alive"));
  await using lb = weir({ mode: "tcp", backends: [...DEAD, app], health: { passive: null } });
  lb.words.publish(0, [0, 1, 2], publication(ejected));
  await using user = await connectRaw(lb.port);
  user.send(get());
  await user.untilText("alive");
});
