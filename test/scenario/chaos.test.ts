import { expect, test } from "bun:test";
import { ACTS } from "../../chaos/acts.ts";
import { play } from "../../chaos/play.ts";

// The short form of `npm run chaos`, which prints the numbers. Here the faults need not stay for long.
for (const act of ACTS) {
  test(`under load, ${act.name}: no request fails that the fault does not excuse`, async () => {
    const played = await play(act, 0);
    expect(played.map(({ fault }) => fault)).toEqual(act.faults.map(({ name }) => name));
    expect(played.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  });
}
