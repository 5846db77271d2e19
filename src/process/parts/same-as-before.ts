/** A thing, or the position of the very same one in the list before: of 1,000 pools with one change 999 need not be said again. */
export type OrBefore<T> = T | number;

/** Says a list by what is new in it. */
export function byNews<T extends object>(list: readonly T[], before: readonly T[]): readonly OrBefore<T>[] {
  const positions = new Map(before.map((each, position) => [each, position]));
  return list.map((each) => positions.get(each) ?? each);
}

/** The list that was said. @throws RangeError where there was nothing at a position */
export function inFull<T extends object>(told: readonly OrBefore<T>[], before: readonly T[]): readonly T[] {
  return told.map((each) => {
    if (typeof each !== "number") return each;
    const same = before[each];
    if (same === undefined) throw new RangeError(`there was nothing at position ${each} of ${before.length}`);
    return same;
  });
}
