import type { Shape } from "./balancer.ts";

/** A change of the configuration. */
export interface Change {
  readonly name: string;
  readonly shape: Shape;
}

/**
 * So many changes, one after another: nothing, a backend more, one less, a listener more and less, another policy and back, another route and back.
 * @param backends the fourth comes and goes
 */
export function changes(backends: readonly number[], secondPort: number, many: number): readonly Change[] {
  const three = backends.slice(0, 3);
  let shape = firstShape(backends);
  const turn: readonly (readonly [string, Partial<Shape>])[] = [
    ["no change", {}],
    ["backend added", { backends }],
    ["policy changed", { leastConnections: true }],
    ["listener added", { secondPort }],
    ["backend removed", { backends: three }],
    ["route added", { otherRoute: true }],
    ["no change", {}],
    ["listener removed", { secondPort: null }],
    ["policy changed", { leastConnections: false }],
    ["route removed", { otherRoute: false }],
  ];
  return Array.from({ length: many }, (_, i) => {
    const [name = "", part = {}] = turn[i % turn.length] ?? [];
    shape = { ...shape, ...part };
    return { name, shape };
  });
}

/** What is in force at the start. */
export function firstShape(backends: readonly number[]): Shape {
  return { backends: backends.slice(0, 3), secondPort: null, leastConnections: false, otherRoute: false };
}
