import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
import type { Document, YAMLMap } from "yaml";
import type { Fault, Parsed, Position, Spot, Tree } from "../schema/tree.ts";
import { leafAt } from "../schema/tree.ts";

// Room for a defaults block merged into thousands of entries; a "billion laughs" file needs 10⁹.
const MAX_ALIASES = 10_000;
// Deeper than any configuration.
const MAX_DEPTH = 200;

/** Reads one YAML 1.2 document with anchors and `<<` merges, and the place of each key; a key that stands twice is a fault. */
export function readYaml(text: string): Parsed {
  const lines = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const fault = (offset: number, message: string, mend: string | null = null): Fault => ({
    at: place(offset),
    message,
    mend,
  });
  const deep = tooDeep(text);
  if (deep !== -1) return { faults: [fault(deep, "the nesting is too deep")] };
  try {
    const doc = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, logLevel: "error" });
    const faults = [...doc.errors, ...doc.warnings].map(({ code, message, pos }) => {
      if (code === "DUPLICATE_KEY")
        return fault(pos[0], `the key ${JSON.stringify(wordAt(text, pos[0]))} stands twice`, "Remove one of the two.");
      if (code === "MULTIPLE_DOCS")
        return fault(pos[0], "the file holds more than one document", "Keep one, without a --- between.");
      return fault(pos[0], plain(message), mendOf(text, pos[0]));
    });
    for (const { offset, name } of unresolvedAliases(doc)) {
      const mend = "Put values that begin with * in quotes.";
      faults.push(fault(offset, `*${name} refers to an anchor that is not there`, mend));
    }
    if (faults.length > 0) return { faults: faults.sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column) };
    return {
      value: doc.toJS({ maxAliasCount: MAX_ALIASES }),
      tree: treeOf(doc, doc.contents, place, { line: 1, column: 1 }),
    };
  } catch (error) {
    // What is left to throw: aliases that expand beyond the bound.
    if (error instanceof ReferenceError)
      return { faults: [fault(0, "the aliases expand to more than 10,000 parts", "Use fewer aliases.")] };
    throw error;
  }
}

// The library's time grows with the square of the depth, so deep files are turned away before it sees them. Brackets in
// strings and comments count too: no configuration has this many that stay open.
function tooDeep(text: string): number {
  let depth = 0;
  for (const { 0: sign, index } of text.matchAll(/[[\]{}]|^(?:[ \t]*[-?:](?=[ \t])){2,}/gm)) {
    if (sign === "]" || sign === "}") depth -= 1;
    else if (sign === "[" || sign === "{") depth += 1;
    if (depth > MAX_DEPTH || sign.length > 2 * MAX_DEPTH) return index;
  }
  return -1;
}

function plain(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function wordAt(text: string, offset: number): string {
  return (
    /^(?:"[^"\n]*"|'[^'\n]*'|[^:\n]*)/
      .exec(text.slice(offset, offset + 100))?.[0]
      .trim()
      .replaceAll(/^["']|["']$/g, "") ?? ""
  );
}

// `[::]:8080` is a list to YAML, and `@` and the backtick may begin no plain value.
function mendOf(text: string, offset: number): string | null {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset + 1);
  return /[:-]\s+[[@`]/.test(line) ? "Put values that begin with [, @ or ` in quotes." : null;
}

function unresolvedAliases(doc: Document): { offset: number; name: string }[] {
  const anchors = new Set<string>();
  const missing: { offset: number; name: string }[] = [];
  visit(doc, {
    Alias: (_, alias) => {
      if (!anchors.has(alias.source)) missing.push({ offset: alias.range?.[0] ?? 0, name: alias.source });
    },
    Node: (_, node) => {
      if (!isAlias(node) && node.anchor !== undefined) anchors.add(node.anchor);
    },
  });
  return missing;
}

function treeOf(doc: Document, node: unknown, place: (offset: number) => Position, otherwise: Position): Tree {
  if (isAlias(node)) return treeOf(doc, node.resolve(doc), place, otherwise);
  const start = isNode(node) && node.range ? place(node.range[0]) : otherwise;
  if (isMap(node)) {
    return { start, scalar: false, child: (step) => inMap(doc, node, String(step), place, start, 0) };
  }
  if (isSeq(node)) {
    const child = (step: string | number): Spot | null => {
      const item: unknown = node.items[Number(step)];
      if (item === undefined || isPair(item)) return null;
      // An alias is pointed at where it is used, and what is in it where it is defined.
      const key = isNode(item) && item.range ? place(item.range[0]) : start;
      return { key, node: treeOf(doc, item, place, key) };
    };
    return { start, scalar: false, child };
  }
  return leafAt(start);
}

// As the library names properties: an empty key is "", and 80 is "80".
function nameOf(key: unknown): string {
  return typeof key === "string" || typeof key === "number" || typeof key === "boolean" ? String(key) : "";
}

function inMap(
  doc: Document,
  map: YAMLMap,
  name: string,
  place: (offset: number) => Position,
  start: Position,
  depth: number,
): Spot | null {
  const merged: unknown[] = [];
  for (const { key, value } of map.items) {
    const text = isScalar(key) ? nameOf(key.value) : null;
    if (text === name) {
      const at = isNode(key) && key.range ? place(key.range[0]) : start;
      return { key: at, node: treeOf(doc, value, place, at) };
    }
    if (isScalar(key) && (typeof key.value === "symbol" || key.source === "<<")) merged.push(value);
  }
  if (depth > 20) return null; // merges of merges; the value itself is bounded by MAX_ALIASES
  for (const source of merged) {
    const resolved = isAlias(source) ? source.resolve(doc) : source;
    for (const item of isSeq(resolved) ? resolved.items : [resolved]) {
      const inner = isAlias(item) ? item.resolve(doc) : item;
      const spot = isMap(inner) ? inMap(doc, inner, name, place, start, depth + 1) : null;
      if (spot) return spot;
    }
  }
  return null;
}
