import type { Command } from "./command.ts";

/** A command: what its help says, and what it does. */
export interface Loaded {
  readonly command: Command<string>;
  /** @returns the exit status */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** Every command. Loaded when it is called: a worker must not carry what only the others need. */
export const COMMANDS: Readonly<Record<string, () => Promise<Loaded>>> = {
  serve: async () => {
    const { SERVE, serve } = await import("./serve.ts");
    return { command: SERVE, run: serve };
  },
  check: async () => {
    const { CHECK, check } = await import("./check.ts");
    return { command: CHECK, run: check };
  },
  explain: async () => {
    const { EXPLAIN, explain } = await import("./explain.ts");
    return { command: EXPLAIN, run: explain };
  },
  demo: async () => {
    const { DEMO, demo } = await import("./demo.ts");
    return { command: DEMO, run: demo };
  },
  top: async () => {
    const { TOP, top } = await import("./top.ts");
    return { command: TOP, run: top };
  },
  status: async () => {
    const { STATUS, status } = await import("./status.ts");
    return { command: STATUS, run: status };
  },
  backends: async () => {
    const { BACKENDS, backends } = await import("./backends.ts");
    return { command: BACKENDS, run: backends };
  },
  drain: async () => {
    const { DRAIN, drain } = await import("./set-state.ts");
    return { command: DRAIN, run: drain };
  },
  ready: async () => {
    const { READY, ready } = await import("./set-state.ts");
    return { command: READY, run: ready };
  },
  maintenance: async () => {
    const { MAINTENANCE, maintenance } = await import("./set-state.ts");
    return { command: MAINTENANCE, run: maintenance };
  },
  weight: async () => {
    const { WEIGHT, weight } = await import("./weight.ts");
    return { command: WEIGHT, run: weight };
  },
  add: async () => {
    const { ADD, add } = await import("./add.ts");
    return { command: ADD, run: add };
  },
  remove: async () => {
    const { REMOVE, remove } = await import("./remove.ts");
    return { command: REMOVE, run: remove };
  },
  events: async () => {
    const { EVENTS, events } = await import("./events.ts");
    return { command: EVENTS, run: events };
  },
  reload: async () => {
    const { RELOAD, reload } = await import("./reload.ts");
    return { command: RELOAD, run: reload };
  },
  renew: async () => {
    const { RENEW, renew } = await import("./renew.ts");
    return { command: RENEW, run: renew };
  },
  upgrade: async () => {
    const { UPGRADE, upgrade } = await import("./upgrade.ts");
    return { command: UPGRADE, run: upgrade };
  },
  stop: async () => {
    const { STOP, stop } = await import("./stop.ts");
    return { command: STOP, run: stop };
  },
  completion: async () => {
    const { COMPLETION, completion } = await import("./completion.ts");
    return { command: COMPLETION, run: (args) => completion(args, Object.values(COMMANDS)) };
  },
};
