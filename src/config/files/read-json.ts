import { branch, leafAt, positions, setOwn } from "../schema/tree.ts";
import type { Fault, Parsed, Position, Spot, Tree } from "../schema/tree.ts";

// Deeper than any configuration, and far from the end of the stack.
const MAX_DEPTH = 200;
const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const WORD = /(?:true|false|null)(?!\w)/y;

interface Read {
  readonly value: unknown;
  readonly tree: Tree;
}

/** Strict JSON (RFC 8259) with the place of each part, which `JSON.parse` does not tell. */
class Reader {
  readonly faults: Fault[] = [];
  readonly #text: string;
  readonly #place: (offset: number) => Position;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#place = positions(text);
  }

  document(): Read {
    const read = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("the text should end here");
    return read;
  }

  #value(depth: number): Read {
    this.#skip();
    const start = this.#place(this.#at);
    const sign = this.#text[this.#at];
    if (depth > MAX_DEPTH) this.#fail("the nesting is too deep");
    if (sign === "{") return this.#object(start, depth);
    if (sign === "[") return this.#list(start, depth);
    const found = this.#take(STRING) ?? this.#take(NUMBER) ?? this.#take(WORD);
    if (found === null) this.#fail(this.#whyNoValue(sign));
    return { value: JSON.parse(found), tree: leafAt(start) };
  }

  #object(start: Position, depth: number): Read {
    const value = {};
    const children = new Map<string, Spot>();
    this.#at += 1;
    this.#skip();
    while (this.#text[this.#at] !== "}") {
      const key = this.#place(this.#at);
      const quoted = this.#take(STRING);
      if (quoted === null) this.#fail(this.#whyNoKey());
      const name = JSON.parse(quoted) as string;
      if (children.has(name))
        this.faults.push({ at: key, message: `the key ${quoted} stands twice`, mend: "Remove one of the two." });
      this.#expect(":", `a colon should follow the key ${quoted}`);
      const read = this.#value(depth + 1);
      setOwn(value, name, read.value);
      children.set(name, { key, node: read.tree });
      this.#next("}");
    }
    this.#at += 1;
    return { value, tree: branch(start, children) };
  }

  #list(start: Position, depth: number): Read {
    const value: unknown[] = [];
    const children = new Map<string, Spot>();
    this.#at += 1;
    this.#skip();
    while (this.#text[this.#at] !== "]") {
      const read = this.#value(depth + 1);
      children.set(String(value.length), { key: read.tree.start, node: read.tree });
      value.push(read.value);
      this.#next("]");
    }
    this.#at += 1;
    return { value, tree: branch(start, children) };
  }

  /** Passes a comma that has something after it, or stops before the closing sign. */
  #next(close: string): void {
    this.#skip();
    if (this.#text[this.#at] === close) return;
    if (this.#text[this.#at] !== ",") this.#fail(`a comma or ${close} is missing here`);
    const comma = this.#at;
    this.#at += 1;
    this.#skip();
    if (this.#text[this.#at] === close) this.#fail(`JSON allows no comma before ${close}`, comma);
  }

  #expect(sign: string, otherwise: string): void {
    this.#skip();
    if (this.#text[this.#at] !== sign) this.#fail(otherwise);
    this.#at += 1;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return null;
    this.#at += found.length;
    return found;
  }

  #skip(): void {
    this.#take(SPACE);
    if (this.#text.startsWith("//", this.#at) || this.#text.startsWith("/*", this.#at))
      this.#fail("JSON has no comments");
  }

  #whyNoKey(): string {
    if (this.#at >= this.#text.length) return "the text ends too early: a } is missing";
    if (this.#text[this.#at] === '"') return "this string is not closed, or holds a line break or an unknown escape";
    return 'a key in double quotes, such as "listeners", should stand here';
  }

  #whyNoValue(sign: string | undefined): string {
    if (sign === undefined) return "the text ends too early: a value is missing";
    if (sign === '"') return "this string is not closed, or holds a line break or an unknown escape";
    if (sign === "'") return "JSON strings stand in double quotes";
    return "a value should stand here";
  }

  #fail(message: string, offset = this.#at): never {
    this.faults.push({ at: this.#place(offset), message, mend: null });
    throw new Stop();
  }
}

class Stop extends Error {}

/**
 * Reads strict JSON with the place of each key; a key that stands twice is a fault. Places are found when the tree is first asked for: that
 * takes ten times as long as the values, and only a configuration that is wrong needs them.
 */
export function readJson(text: string): Parsed {
  const plain = plainValue(text);
  if (plain === null) return withPlaces(text);
  let tree: Tree | null = null;
  const treeOf = (): Tree => {
    const read = withPlaces(text);
    // Never the other: both readers take this text.
    return "tree" in read ? read.tree : leafAt({ line: 1, column: 1 });
  };
  return {
    value: plain.value,
    get tree() {
      return (tree ??= treeOf());
    },
  };
}

function withPlaces(text: string): Parsed {
  const reader = new Reader(text);
  try {
    const read = reader.document();
    return reader.faults.length > 0 ? { faults: reader.faults } : read;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { faults: reader.faults };
  }
}

/** What `JSON.parse` reads; `null` where the text is wrong, too deep, or has a key twice, of which `JSON.parse` would take the last. */
function plainValue(text: string): { readonly value: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return keysIn(value, 0) === keysWritten(text) ? { value } : null;
  } catch {
    return null;
  }
}

/** Keys of a value and all that is in it; NaN where it is too deep. */
function keysIn(value: unknown, depth: number): number {
  if (depth > MAX_DEPTH) return NaN;
  if (typeof value !== "object" || value === null) return 0;
  const inside: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let count = Array.isArray(value) ? 0 : inside.length;
  for (const each of inside) count += keysIn(each, depth + 1);
  return count;
}

/** Keys in a text that is right: each has a colon after it, and there are no others outside strings. */
function keysWritten(text: string): number {
  let count = 0;
  let from = 0;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return count;
    let end = text.indexOf('"', quote + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    from = end + 1;
    while (text.charCodeAt(from) <= 0x20) from += 1;
    if (text[from] === ":") count += 1;
  }
}

/** Whether an odd number of backslashes stands before a place in a string. */
function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes += 1;
  return slashes % 2 === 1;
}
