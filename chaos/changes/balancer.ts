/** What a configuration is made of, whatever program reads it. The first three backends are always there. */
export interface Shape {
  readonly backends: readonly number[];
  /** Where it listens besides its main port; `null` for nowhere. */
  readonly secondPort: number | null;
  /** Whether it chooses by what is in flight instead of in turn. */
  readonly leastConnections: boolean;
  /** Whether there is another route, to another pool. */
  readonly otherRoute: boolean;
}

/** A balancer under load whose configuration is changed again and again. */
export interface Balancer extends AsyncDisposable {
  readonly title: string;
  readonly port: number;
  /** Brings a configuration into force, and waits until it is. */
  change(shape: Shape): Promise<void>;
  /** Further things that it can do without a loss: what they are called, and how they are done. */
  readonly acts: readonly { readonly name: string; readonly run: () => Promise<void> }[];
  /** Its processes that are alive. */
  processes(): readonly number[];
}

/** A program that is known well, set up to change without a loss as its manual says. */
export interface BalancerProgram {
  readonly title: string;
  /** Why it cannot run here; `null` when it can. */
  missing(): string | null;
  start(shape: Shape): Promise<Balancer>;
}
