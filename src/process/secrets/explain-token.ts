import { isExplainToken } from "../../config/schema/explain-parts.ts";
import type { Plan } from "../../plan.ts";
import { readTokenFile } from "./token-file.ts";

/**
 * Fills in the token of `explain` where it is in a file. Read by the supervisor: workers may not be allowed to.
 * @throws EXPLAIN_TOKEN_UNSAFE where others may read the file, or it holds none
 */
export function withExplainToken(plan: Plan): Plan {
  const { explain } = plan;
  if (explain === undefined || explain.token !== null || explain.tokenFile === null) return plan;
  return { ...plan, explain: { ...explain, token: readExplainToken(explain.tokenFile) } };
}

function readExplainToken(path: string): string {
  return readTokenFile(path, "EXPLAIN_TOKEN_UNSAFE", (token) =>
    isExplainToken(token) ? null : "holds no 16 to 256 visible ASCII characters",
  );
}
