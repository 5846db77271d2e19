import type { Path } from "../files/problems.ts";

/** A place in a text; both numbers count from 1, columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where the parts of a configuration stand in its file; every format is turned into this. */
export interface Tree {
  readonly start: Position;
  /** Whether it is a plain value: then the value itself is pointed at, otherwise its key. */
  readonly scalar: boolean;
  /** The child under a name or an index, or `null` where the text has none. */
  child(step: string | number): Spot | null;
}

/** A child of a tree and the place of its key (of a list's element: of the element). */
export interface Spot {
  readonly key: Position;
  readonly node: Tree;
}

/** What a file holds, and where; or why it cannot be read as its format. */
export type Parsed = { readonly value: unknown; readonly tree: Tree } | { readonly faults: readonly Fault[] };

/** A breach of the file's format. */
export interface Fault {
  readonly at: Position;
  readonly message: string;
  /** How to mend it, where more can be said than "mend the place named". */
  readonly mend: string | null;
}

/** The place of a path, or of its nearest parent that the text has. */
export function locate(tree: Tree, path: Path, part: "key" | "value"): Position {
  let at = tree.start;
  let node = tree;
  for (const [i, step] of path.entries()) {
    const spot = node.child(step);
    if (!spot) return at;
    node = spot.node;
    at = part === "value" && node.scalar && i === path.length - 1 ? node.start : spot.key;
  }
  return at;
}

/** Makes a function that turns an offset in the text into a place. O(log lines) a call. */
export function positions(text: string): (offset: number) => Position {
  const starts = [0];
  for (let i = text.indexOf("\n"); i !== -1; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** A node whose children are already known. */
export function branch(start: Position, children: ReadonlyMap<string, Spot>): Tree {
  return { start, scalar: false, child: (step) => children.get(String(step)) ?? null };
}

/** A node without children. */
export function leafAt(start: Position): Tree {
  return { start, scalar: true, child: () => null };
}

/** Sets a property as the object's own, whatever its name: `__proto__` in a file is a name like any other. */
export function setOwn(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}
