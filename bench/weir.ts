import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./programs.ts";
import type { Proxy } from "./proxy.ts";

const program = join(root, "bin", "weir");

/** Weir with one worker, as a user starts it. */
export const weir: Proxy = {
  name: "weir",
  title: "Weir",
  missing: () => (existsSync(program) ? undefined : "bin/weir is not there"),
  version: () => readVersion(join(root, "package.json")),
  command({ mode, port, backends }) {
    const to = backends.flatMap((backend) => ["--to", `127.0.0.1:${backend}`]);
    const how = ["--mode", mode, "--workers", "1", "--admin", "off"];
    return Promise.resolve([program, "serve", "--listen", `127.0.0.1:${port}`, ...to, ...how]);
  },
};

/** The version in a package.json. */
export function readVersion(file: string): string {
  const content: unknown = require(file);
  return typeof content === "object" && content !== null && "version" in content ? String(content.version) : "unknown";
}
