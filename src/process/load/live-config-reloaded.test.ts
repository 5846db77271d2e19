import { expect, test } from "bun:test";
import { silentLog } from "../../observe/log.ts";
import type { ApplyReport } from "../supervise/apply-report.ts";
import { LiveConfig } from "./live-config.ts";

const DONE: ApplyReport = { ok: true, generation: 2, changes: [], needsUpgrade: [], tookMs: 1 };

test("it is known whether the last reload was done, and when one last was; a dry run is none", async () => {
  let now = 1000;
  const config = {
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [":8001"] } },
  };
  const live = new LiveConfig({ kind: "object", config }, () => now);
  let report: ApplyReport = DONE;
  live.attach(async () => report, silentLog);
  expect(live.reloaded).toEqual({ ok: true, succeededAt: 1000 });
  now = 2000;
  await live.reload({ dryRun: true });
  expect(live.reloaded).toEqual({ ok: true, succeededAt: 1000 });
  await live.reload();
  expect(live.reloaded).toEqual({ ok: true, succeededAt: 2000 });
  now = 3000;
  report = { ok: false, problems: [] };
  await live.reload();
  expect(live.reloaded).toEqual({ ok: false, succeededAt: 2000 });
  report = DONE;
  now = 4000;
  await live.reload();
  expect(live.reloaded).toEqual({ ok: true, succeededAt: 4000 });
});
