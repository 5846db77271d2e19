import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { systemClock } from "../../clock.ts";
import { atOnce } from "../../steps.ts";
import { silentLog } from "../../observe/log.ts";
import { LiveConfig } from "../load/live-config.ts";
import type { Shelf } from "../load/load-apart.ts";
import { packed } from "../parts/packed-plan.ts";
import { Supervisor } from "./supervisor.ts";

class Attached extends LiveConfig {
  shelf: Shelf | undefined;

  override attach(...[apply, log, shelf]: Parameters<LiveConfig["attach"]>): void {
    super.attach(apply, log, shelf);
    this.shelf = shelf;
  }
}

test("of a plan that is refused for an address in use no part is kept", async () => {
  const liveConfig = new Attached({ kind: "object", config: {} });
  const plan = planOf({ backends: [1] });
  const supervisor = await Supervisor.start({ plan, log: silentLog, clock: systemClock, liveConfig });
  const shelf = liveConfig.shelf!;
  const { ids } = atOnce(shelf.known());
  using other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const asked = planOf({ backends: [1, 2, 3], address: `127.0.0.1:${other.port}` });
  const { manifest, parts } = packed(asked, []);
  const read = atOnce(shelf.unpack(manifest, parts, []));
  expect(atOnce(shelf.known()).ids.length).toBeGreaterThan(ids.length);
  expect(await supervisor.apply(read)).toMatchObject({ ok: false, problems: [{ code: "LISTEN_IN_USE" }] });
  expect(atOnce(shelf.known()).ids).toEqual(ids);
  await supervisor.stop();
});
