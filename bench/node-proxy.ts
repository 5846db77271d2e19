import { existsSync } from "node:fs";
import { join } from "node:path";
import { findProgram, outputOf, root, versionIn } from "./programs.ts";
import type { Proxy } from "./proxy.ts";
import { readVersion } from "./weir.ts";

const library = join(root, "node_modules", "httpxy", "package.json");

/** httpxy on Node for HTTP and Node's own `net` pipe for TCP, for scale. */
export const nodeProxy: Proxy = {
  name: "node",
  title: "Node",
  mostRounds: 2,
  missing() {
    if (findProgram("node") === undefined) return "node is not installed (Debian: apt-get install nodejs)";
    return existsSync(library) ? undefined : "httpxy is not installed (npm install)";
  },
  version: () => `${versionIn(outputOf([findProgram("node") ?? "node", "--version"]))}, httpxy ${readVersion(library)}`,
  command({ mode, port, backends }) {
    const script = join(import.meta.dir, "node-proxy.mjs");
    return Promise.resolve([findProgram("node") ?? "node", script, mode, String(port), ...backends.map(String)]);
  },
};
