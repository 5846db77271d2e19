import { ParseError, parseTOML } from "toml-eslint-parser";
import type { AST } from "toml-eslint-parser";
import { setOwn } from "../schema/tree.ts";
import type { Parsed, Position, Spot, Tree } from "../schema/tree.ts";

/** A table, a list or a value while the file is read; tables are opened more than once in TOML. */
class Part implements Tree {
  readonly start: Position;
  readonly scalar: boolean;
  readonly value: unknown;
  readonly #children = new Map<string, { key: Position; node: Part }>();

  constructor(start: Position, value: unknown) {
    this.start = start;
    this.scalar = typeof value !== "object" || value instanceof Date;
    this.value = value;
  }

  child(step: string | number): Spot | null {
    return this.#children.get(String(step)) ?? null;
  }

  add(step: string | number, key: Position, node: Part): void {
    this.#children.set(String(step), { key, node });
    if (Array.isArray(this.value)) this.value.push(node.value);
    else if (typeof this.value === "object" && this.value !== null) setOwn(this.value, String(step), node.value);
  }

  /** The container under a name or an index, made where it is not yet there. */
  open(step: string | number, key: Position, list: boolean): Part {
    const known = this.#children.get(String(step))?.node;
    if (known) return known;
    const made = new Part(key, list ? [] : {});
    this.add(step, key, made);
    return made;
  }
}

function placeOf(node: AST.TOMLNode): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === "TOMLBare" ? key.name : key.value;
}

function addPair(table: Part, pair: AST.TOMLKeyValue): void {
  let target = table;
  for (const [i, key] of pair.key.keys.entries()) {
    if (i === pair.key.keys.length - 1) target.add(nameOf(key), placeOf(key), valueOf(pair.value));
    else target = target.open(nameOf(key), placeOf(key), false);
  }
}

function valueOf(node: AST.TOMLContentNode): Part {
  if (node.type === "TOMLValue") return new Part(placeOf(node), node.value);
  const part = new Part(placeOf(node), node.type === "TOMLArray" ? [] : {});
  if (node.type === "TOMLArray") {
    for (const [i, element] of node.elements.entries()) part.add(i, placeOf(element), valueOf(element));
  } else {
    for (const pair of node.body) addPair(part, pair);
  }
  return part;
}

function addTable(root: Part, table: AST.TOMLTable): void {
  let target = root;
  let key: Position = placeOf(table);
  let names = 0;
  for (const [i, step] of table.resolvedKey.entries()) {
    const named = typeof step === "string" ? table.key.keys[names++] : undefined;
    if (named) key = placeOf(named);
    target = target.open(step, key, typeof table.resolvedKey[i + 1] === "number");
  }
  for (const pair of table.body) addPair(target, pair);
}

/** Reads TOML 1.0 with the place of each key. */
export function readToml(text: string): Parsed {
  try {
    const root = new Part({ line: 1, column: 1 }, {});
    for (const node of parseTOML(text, { tomlVersion: "1.0" }).body[0].body) {
      if (node.type === "TOMLTable") addTable(root, node);
      else addPair(root, node);
    }
    return { value: root.value, tree: root };
  } catch (error) {
    if (error instanceof ParseError) {
      const message = error.message.charAt(0).toLowerCase() + error.message.slice(1);
      return { faults: [{ at: { line: error.lineNumber, column: error.column + 1 }, message, mend: null }] };
    }
    if (error instanceof RangeError)
      return { faults: [{ at: { line: 1, column: 1 }, message: "the nesting is too deep", mend: null }] };
    throw error;
  }
}
