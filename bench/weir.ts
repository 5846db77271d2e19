import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./programs.ts";
import type { Proxy } from "./proxy.ts";

const program = join(root, "bin", "weir");

/** Keys of a pool as its configuration has them, without its backends; may hold keys that this Weir does not know. */
export interface PoolSettings {
  readonly policy?: string | Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
  /** Keys of every backend. */
  readonly backend?: Readonly<Record<string, unknown>>;
}

/** Weir with one worker, as a user starts it. */
export const weir: Proxy = {
  name: "weir",
  title: "Weir",
  mostRounds: Infinity,
  missing: () => (existsSync(program) ? undefined : "bin/weir is not there"),
  version: () => readVersion(join(root, "package.json")),
  command(launch) {
    if (launch.accessLog === true) return weirWith({}).command(launch);
    const { mode, port, backends } = launch;
    const to = backends.flatMap((backend) => ["--to", `127.0.0.1:${backend}`]);
    const how = ["--mode", mode, "--workers", "1", "--admin", "off"];
    return Promise.resolve([program, "serve", "--listen", `127.0.0.1:${port}`, ...to, ...how]);
  },
};

/** Weir with one worker and a pool of its own settings, from a configuration file. */
export function weirWith({ backend = {}, ...pool }: PoolSettings): Proxy {
  return {
    ...weir,
    async command({ mode, port, backends, folder, accessLog = false }) {
      const file = join(folder, "weir.json");
      const configuration = {
        workers: 1,
        admin: "off",
        ...(accessLog ? { accessLog: { format: "json", to: join(folder, "access.log") } } : {}),
        listeners: { web: { address: `127.0.0.1:${port}`, mode, pool: "app" } },
        pools: { app: { ...pool, backends: backends.map((each) => ({ address: `127.0.0.1:${each}`, ...backend })) } },
      };
      await Bun.write(file, JSON.stringify(configuration, null, 2));
      return [program, "serve", file];
    },
  };
}

/** The version in a package.json. */
export function readVersion(file: string): string {
  const content: unknown = require(file);
  return typeof content === "object" && content !== null && "version" in content ? String(content.version) : "unknown";
}
