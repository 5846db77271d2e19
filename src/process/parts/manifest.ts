/** Number of a part: the same content has the same number, as long as whoever gave it knows the part. */
export type PartId = number;

/** A part of a plan: an object without other objects in it, for which `{ $: number }` of their parts stand. */
export type PartContent = Readonly<Record<string, unknown>>;

/** A listener with its routes, or a pool with its backends. */
export interface Listed {
  /** What is left of it without them. */
  readonly shell: PartId;
  readonly items: readonly PartId[];
}

/** A plan by the numbers of its parts. */
export interface Manifest {
  /** What is left of the plan without its listeners and pools. */
  readonly top: PartId;
  readonly listeners: readonly Listed[];
  readonly pools: readonly Listed[];
}

export function isRef(value: unknown): value is { readonly $: PartId } {
  return typeof value === "object" && value !== null && "$" in value;
}

/** Whether two manifests are of the same plan. O(lists), where those of one are used again in the other. */
export function isSame(one: Manifest, other: Manifest): boolean {
  return one.top === other.top && areSame(one.listeners, other.listeners) && areSame(one.pools, other.pools);
}

function areSame(some: readonly Listed[], others: readonly Listed[]): boolean {
  return some.length === others.length && some.every((each, i) => each === others[i] || isEqual(each, others[i]!));
}

function isEqual(one: Listed, other: Listed): boolean {
  const { items } = other;
  if (one.shell !== other.shell) return false;
  return one.items === items || (one.items.length === items.length && one.items.every((id, i) => id === items[i]));
}

/** The same with the very lists of another one, where they are equal. O(parts). */
export function sharing(manifest: Manifest, { listeners, pools }: Manifest): Manifest {
  const shared = (own: readonly Listed[], others: readonly Listed[]): readonly Listed[] => {
    const known = new Map(others.map((each) => [each.shell, each]));
    return own.map((each) => {
      const other = known.get(each.shell);
      return other !== undefined && isEqual(each, other) ? other : each;
    });
  };
  return { ...manifest, listeners: shared(manifest.listeners, listeners), pools: shared(manifest.pools, pools) };
}

/** The same by other numbers. */
export function renumbered({ top, listeners, pools }: Manifest, of: (id: PartId) => PartId): Manifest {
  const each = ({ shell, items }: Listed): Listed => ({ shell: of(shell), items: items.map(of) });
  return { top: of(top), listeners: listeners.map(each), pools: pools.map(each) };
}

/** The same part with other numbers of those that it refers to. */
export function withRefs(content: PartContent, of: (id: PartId) => PartId): PartContent {
  const own: Record<string, unknown> = {};
  // `Object.entries` takes twice as long.
  for (const key of Object.keys(content)) {
    const value = content[key];
    own[key] = isRef(value) ? { $: of(value.$) } : value;
  }
  return own;
}
