import { expect, setDefaultTimeout, test } from "bun:test";
import { ACTS } from "../../chaos/acts.ts";
import { IMPATIENT, impatient } from "../../chaos/backend-faults.ts";
import { play } from "../../chaos/play.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(120_000);

/** By `IMPATIENT` itself a machine that stops for a moment fails. */
const PATIENT = impatient(5000, 10_000);

// The short form of `npm run chaos`, which prints the numbers. Here the faults need not stay for long.
for (const act of ACTS.map((each) => (each === IMPATIENT ? PATIENT : each))) {
  test(`under load, ${act.name}: no request fails that the fault does not excuse`, async () => {
    const played = await play(act, 0);
    expect(played.map(({ fault }) => fault)).toEqual(act.faults.map(({ name }) => name));
    expect(played.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  });
}
