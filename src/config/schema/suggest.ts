/** Edits (insert, delete, replace, swap two neighbours) from one word to the other. O(n·m). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

// keep_alive, keep-alive and KeepAlive are all meant to be keepAlive.
function folded(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, "");
}

/** The candidate that was probably meant, or `null` where none is near: at most a third of the letters differ, and not all of them. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > 64) return null; // nobody mistypes a word of this length
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(folded(word), folded(candidate));
    const length = Math.max(word.length, candidate.length);
    const allowed = Math.max(1, Math.floor(length / 3));
    if (distance <= allowed && distance < length && distance < bestDistance)
      [best, bestDistance] = [candidate, distance];
  }
  return best;
}
