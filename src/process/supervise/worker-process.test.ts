import { expect, test } from "bun:test";
import { barePlan, started } from "../../../test/fixtures/bare-worker.ts";
import { atOnce } from "../../steps.ts";

test("one that has ended is said to be gone at once when it is asked, not to hang", async () => {
  const process = started();
  process.kill();
  await process.exited;
  expect(await process.ask("connections", null).catch(String)).toContain("worker 0 was killed by SIGKILL");
  expect(await process.commit().catch(String)).toContain("worker 0 was killed by SIGKILL");
});

test("one that cannot take its plan says so at once", async () => {
  const { parts, parted } = barePlan();
  const [first, ...others] = parts.idsOf(parted.manifest);
  for (const part of atOnce(parts.besides(new Set(others)))) parts.forget(part);
  const process = started({ parts, parted });
  expect(String(await process.ready.catch(String))).toContain(`no part ${first} of a plan`);
  process.kill();
  await process.exited;
});
