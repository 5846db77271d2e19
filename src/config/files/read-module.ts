import { parse } from "@babel/parser";
import type * as ast from "@babel/types";
import type { Position, Spot, Tree } from "../schema/tree.ts";
import { leafAt } from "../schema/tree.ts";

// Constants that refer to each other in a circle end here.
const MAX_STEPS = 100;

type Scope = ReadonlyMap<string, ast.Expression>;

function placeOf(node: ast.Node): Position {
  return { line: node.loc?.start.line ?? 1, column: (node.loc?.start.column ?? 0) + 1 };
}

/** The initial values of the constants at the top of the file, by name. */
function constants(program: ast.Program): Scope {
  const found = new Map<string, ast.Expression>();
  for (const statement of program.body) {
    const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declared?.type !== "VariableDeclaration" || declared.kind !== "const") continue;
    for (const { id, init } of declared.declarations) if (id.type === "Identifier" && init) found.set(id.name, init);
  }
  return found;
}

/** The expression that the file exports as default: `export default …`, `export { x as default }` or `module.exports = …`. */
function exported(program: ast.Program, scope: Scope): ast.Expression | null {
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration") {
      const { declaration } = statement;
      return declaration.type === "FunctionDeclaration" ||
        declaration.type === "ClassDeclaration" ||
        declaration.type === "TSDeclareFunction"
        ? null
        : declaration;
    }
    if (statement.type === "ExportNamedDeclaration") {
      for (const specifier of statement.specifiers) {
        if (specifier.type !== "ExportSpecifier" || nameOf(specifier.exported, false) !== "default") continue;
        return scope.get(specifier.local.name) ?? null;
      }
    }
    if (statement.type === "ExpressionStatement" && statement.expression.type === "AssignmentExpression") {
      const { left, right } = statement.expression;
      if (left.type === "MemberExpression" && left.object.type === "Identifier" && left.object.name === "module")
        return right;
    }
  }
  return null;
}

/** The name of a property where it is written out, or `null` where it is computed. */
function nameOf(key: ast.Node, computed: boolean): string | null {
  if (key.type === "StringLiteral") return key.value;
  if (key.type === "NumericLiteral") return String(key.value);
  return key.type === "Identifier" && !computed ? key.name : null;
}

/** Follows `defineConfig(…)`, `satisfies`, `as`, `!`, parentheses, constants and their members to what is written out. */
function literal(start: ast.Node, scope: Scope): ast.Node {
  let node = start;
  for (let i = 0; i < MAX_STEPS; i++) {
    const next = inside(node, scope);
    if (!next) return node;
    node = next;
  }
  return node;
}

// What an expression stands for, one step on.
function inside(node: ast.Node, scope: Scope): ast.Node | null | undefined {
  if (node.type === "TSSatisfiesExpression" || node.type === "TSAsExpression" || node.type === "TSTypeAssertion") {
    return node.expression;
  }
  if (node.type === "TSNonNullExpression" || node.type === "ParenthesizedExpression") return node.expression;
  if (node.type === "AwaitExpression") return node.argument;
  if (node.type === "CallExpression") return passesThrough(node.callee) ? node.arguments[0] : null;
  if (node.type === "Identifier") return scope.get(node.name);
  if (node.type !== "MemberExpression") return null;
  const name = nameOf(node.property, node.computed);
  return name === null ? null : member(literal(node.object, scope), name, scope)?.value;
}

// `defineConfig(x)` and `weir.defineConfig(x)` return x itself; so does Object.freeze.
function passesThrough(callee: ast.Node): boolean {
  if (callee.type === "Identifier") return callee.name === "defineConfig";
  const name = callee.type === "MemberExpression" ? nameOf(callee.property, callee.computed) : null;
  return name === "defineConfig" || name === "freeze";
}

interface Member {
  readonly key: ast.Node;
  readonly value: ast.Node;
}

function member(node: ast.Node, name: string, scope: Scope): Member | null {
  if (node.type !== "ObjectExpression") return null;
  // From the end, because the last of two keys, or of a key and a spread, wins.
  for (const property of node.properties.toReversed()) {
    if (property.type === "SpreadElement") {
      const spread = member(literal(property.argument, scope), name, scope);
      if (spread) return spread;
    } else if (nameOf(property.key, property.computed) === name) {
      return { key: property.key, value: property.type === "ObjectProperty" ? property.value : property };
    }
  }
  return null;
}

/** The elements of a list with its spreads expanded; `null` from where the positions cannot be known. */
function elements(list: ast.ArrayExpression, scope: Scope): (ast.Node | null)[] {
  const found: (ast.Node | null)[] = [];
  for (const element of list.elements) {
    if (element?.type !== "SpreadElement") {
      found.push(element);
      continue;
    }
    const spread = literal(element.argument, scope);
    if (spread.type !== "ArrayExpression") break;
    found.push(...elements(spread, scope));
  }
  return found;
}

function treeOf(expression: ast.Node, scope: Scope): Tree {
  const node = literal(expression, scope);
  // Points at where a value is used, not at the constant that holds it: that is what the key belongs to.
  const start = placeOf(expression);
  if (node.type === "ObjectExpression") {
    const child = (step: string | number): Spot | null => {
      const found = member(node, String(step), scope);
      return found && { key: placeOf(found.key), node: treeOf(found.value, scope) };
    };
    return { start, scalar: false, child };
  }
  if (node.type === "ArrayExpression") {
    const child = (step: string | number): Spot | null => {
      const found = elements(node, scope)[Number(step)];
      return found ? { key: placeOf(found), node: treeOf(found, scope) } : null;
    };
    return { start, scalar: false, child };
  }
  return leafAt(start);
}

/**
 * The places of the keys in the object that a TypeScript or JavaScript file exports as default, as far as they are
 * written out in it. What is computed has no place of its own; its nearest parent stands for it.
 * @returns `null` where the file exports nothing that is written out
 */
export function readModule(text: string): Tree | null {
  try {
    const { program } = parse(text, { sourceType: "module", plugins: ["typescript"], errorRecovery: true });
    const scope = constants(program);
    const expression = exported(program, scope);
    return expression && treeOf(expression, scope);
  } catch {
    return null; // a place is a help, not a need: the runtime has read the file already
  }
}
