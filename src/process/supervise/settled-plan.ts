import type { Plan } from "../../plan.ts";

/** Of the plan that Weir starts with, and as they are until it is started anew. By their names in the configuration. */
const FIXED: readonly { readonly key: string; readonly of: (plan: Plan) => unknown }[] = [
  { key: "workers", of: ({ workers }) => workers },
  { key: "user", of: ({ runAs }) => runAs?.user ?? null },
  { key: "group", of: ({ runAs }) => runAs?.group ?? null },
  { key: "stateFolder", of: ({ stateFolder }) => stateFolder },
];

/** A plan with what cannot change while Weir runs as it is in force; and which keys would be other. */
export function withFixed(
  inForce: Plan,
  asked: Plan,
): { readonly plan: Plan; readonly needsUpgrade: readonly string[] } {
  const { workers, runAs, stateFolder } = inForce;
  const needsUpgrade = FIXED.filter(({ of }) => of(inForce) !== of(asked)).map(({ key }) => key);
  return { plan: { ...asked, workers, runAs, stateFolder }, needsUpgrade };
}

/** The secret that was filled in where a pool with affinity sets none; `null` where no pool needs it. */
export function generatedSecret(asked: Plan, filled: Plan): string | null {
  const at = asked.pools.findIndex(({ affinity }) => affinity !== null && affinity.secret === null);
  return filled.pools[at]?.affinity?.secret ?? null;
}
