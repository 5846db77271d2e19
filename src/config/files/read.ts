import { compile } from "../compile/compile.ts";
import { adminFindings } from "../check/check-admin.ts";
import { affinityFindings } from "../check/check-affinity.ts";
import { explainFindings } from "../check/check-explain.ts";
import { healthFindings } from "../check/check-health.ts";
import { limitFindings } from "../check/check-limits.ts";
import { listenerFindings } from "../check/check-listeners.ts";
import { runAsFindings } from "../check/check-run-as.ts";
import { policyFindings } from "../check/check-policies.ts";
import { poolFindings } from "../check/check-pools.ts";
import { plainFindings } from "../schema/issues.ts";
import { type Accounts, systemAccounts } from "../../net/accounts.ts";
import type { Plan } from "../../plan.ts";
import { keyText, withoutEchoes } from "./problems.ts";
import type { Finding, Problem } from "./problems.ts";
import { unresolvedNames } from "./resolve.ts";
import type { Lookup } from "./resolve.ts";
import { configSchema } from "../schema/schema.ts";
import { locate } from "../schema/tree.ts";
import type { Tree } from "../schema/tree.ts";

/** A plan, or everything that is wrong. */
export type Loaded = { readonly plan: Plan } | { readonly problems: readonly Problem[] };

/** Where a configuration came from. */
export interface Origin {
  /** The file as the user named it; `null` where there is none (command line, library). */
  readonly file: string | null;
  /** The places of its keys, asked for only when something is wrong. */
  readonly tree?: () => Promise<Tree | null>;
}

/** What is done besides reading. */
export interface ReadOptions {
  /** Resolves names, so that one that does not resolve is a problem; `false` leaves them unresolved. Default: the system's resolver. */
  readonly resolve?: Lookup | false;
  /** Looks up users and groups, where names are resolved. Default: the system's. */
  readonly accounts?: Accounts;
}

/**
 * Checks a configuration, whatever its origin, and makes its plan. Never rejects for a wrong configuration:
 * all that is wrong comes back at once, in the order of the file where its places are known.
 */
export async function planFromConfig(config: unknown, origin: Origin, options: ReadOptions = {}): Promise<Loaded> {
  const result = configSchema.safeParse(config);
  const findings = withoutEchoes([
    ...(result.success ? [] : plainFindings(result.error.issues, config)),
    ...poolFindings(config),
    ...policyFindings(config),
    ...healthFindings(config),
    ...limitFindings(config),
    ...affinityFindings(config),
    ...listenerFindings(config),
    ...adminFindings(config),
    ...explainFindings(config),
    ...runAsFindings(config, options.resolve === false ? null : (options.accounts ?? systemAccounts)),
  ]);
  if (options.resolve !== false) findings.push(...(await unresolvedNames(config, options.resolve)));
  return result.success && findings.length === 0
    ? { plan: compile(result.data) }
    : { problems: await placed(findings, origin) };
}

async function placed(findings: readonly Finding[], origin: Origin): Promise<Problem[]> {
  const tree = findings.length > 0 && origin.tree ? await origin.tree() : null;
  const problems = findings.map(({ code, path, part, message, mend }): Problem => {
    const at = tree && locate(tree, path, part);
    return {
      code,
      file: origin.file,
      line: at?.line ?? null,
      column: at?.column ?? null,
      key: keyText(path),
      message,
      mend,
    };
  });
  const order = (a: Problem, b: Problem): number => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
  return problems.sort(order);
}
