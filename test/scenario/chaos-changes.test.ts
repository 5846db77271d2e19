import { expect, setDefaultTimeout, test } from "bun:test";
import { playChanges } from "../../chaos/changes/play.ts";
import { losses } from "../../chaos/changes/table.ts";
import { weirReloads } from "../../chaos/changes/weir.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(120_000);

// The short form of `npm run chaos -- changes`, which changes a hundred times and prints the numbers, also of others.
test("under the load of all kinds of clients, changes of the configuration and an upgrade lose nothing", async () => {
  const changed = await playChanges(weirReloads, 20);
  expect(losses(changed)).toEqual([]);
  expect(changed.acts).toContain("upgrade");
  expect(changed.tally.open).toBeGreaterThan(0);
});
