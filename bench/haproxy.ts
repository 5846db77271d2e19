import { join } from "node:path";
import { openFiles } from "./nginx-program.ts";
import { findProgram, outputOf, versionIn } from "./programs.ts";
import type { Launch, Proxy } from "./proxy.ts";

/** HAProxy with one thread. */
export const haproxy: Proxy = {
  name: "haproxy",
  title: "HAProxy",
  missing: () =>
    findProgram("haproxy") === undefined ? "HAProxy is not installed (Debian: apt-get install haproxy)" : undefined,
  version: () => versionIn(outputOf([program(), "-v"])),
  async command(launch) {
    const file = join(launch.folder, "haproxy.cfg");
    await Bun.write(file, configuration(launch));
    return [program(), "-db", "-f", file];
  },
};

function program(): string {
  return findProgram("haproxy") ?? "haproxy";
}

function configuration({ mode, port, backends, largeBuffers }: Launch): string {
  const http = `  option http-keep-alive
  option forwardfor
  http-reuse always
  timeout http-keep-alive 1h`;
  return `global
  nbthread 1
${largeBuffers ? "  tune.bufsize 65536" : ""}
  maxconn ${Math.floor(openFiles / 2) - 500}
defaults
  mode ${mode}
  balance roundrobin
  timeout connect 3s
  timeout client 1h
  timeout server 1h
${mode === "http" ? http : ""}
frontend web
  bind 127.0.0.1:${port} backlog 4096
  default_backend app
backend app
${backends.map((backend, index) => `  server app${index} 127.0.0.1:${backend}`).join("\n")}
`;
}
