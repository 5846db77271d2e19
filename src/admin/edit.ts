import type { Change } from "../config/overlay/overlay.ts";
import { changeText } from "../config/overlay/overlay.ts";
import { WeirError } from "../errors.ts";
import type { ApplyReport } from "../process/supervise/apply-report.ts";
import type { Applied } from "./model-writes.ts";
import { Refusal } from "./problem.ts";
import type { Call } from "./resource.ts";

/**
 * Makes changes to the running Weir: all of them, in all workers, or none.
 * @throws the code of the first thing that is wrong with the configuration that they would lead to, with all of them
 */
export async function edit(call: Call, changes: readonly Change[], persist: boolean): Promise<Applied> {
  const { running } = call;
  refuseWhileEnding(running.phase);
  const report = await running.config.edit(changes, { persist });
  const what = changes.map(changeText).join("; ");
  return applied(call, report, { what, persist, dryRun: false });
}

/** What is told of a change: in the log, and to who asked. */
export function applied(
  { running, who }: Call,
  report: ApplyReport,
  { what, persist, dryRun }: { readonly what: string; readonly persist: boolean; readonly dryRun: boolean },
): Applied {
  if (!report.ok) {
    const { problems } = report;
    const [first] = problems;
    if (!dryRun)
      running.note("warn", "admin write", { who, what, persist, done: false, code: first?.code ?? "WEIR_INTERNAL" });
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    const place = first === undefined || first.key === "" ? "" : `${first.key}: `;
    throw new Refusal(
      first?.code ?? "WEIR_INTERNAL",
      `${place}${first?.message ?? "no reason was given"}${more}`,
      problems,
    );
  }
  const { generation, changes, needsUpgrade, tookMs } = report;
  if (!dryRun)
    running.note("info", "admin write", { who, what, persist, done: true, generation, changes: changes.length });
  return { generation, changes: [...changes], needsUpgrade: [...needsUpgrade], tookMs, dryRun, persisted: persist };
}

/** @throws ADMIN_REFUSED */
export function refuseWhileEnding(phase: string): void {
  if (phase !== "running") throw new WeirError("ADMIN_REFUSED", `Weir is ${phase}`);
}
