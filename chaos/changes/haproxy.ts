import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../bench/programs.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import type { BalancerProgram, Shape } from "./balancer.ts";
import { started } from "./started.ts";

/** HAProxy in master-worker mode: SIGUSR2 starts new workers on the same sockets and lets the old ones finish (management.txt §4). */
export const haproxyReloads: BalancerProgram = {
  title: "HAProxy",
  missing: () => (findProgram("haproxy") === undefined ? "HAProxy is not installed" : null),
  async start(shape) {
    const folder = temporaryFolder();
    const file = join(folder.path, "haproxy.cfg");
    return started({
      title: "HAProxy",
      folder,
      signal: "SIGUSR2",
      command: [findProgram("haproxy") ?? "haproxy", "-W", "-db", "-f", file],
      write: (port, next) => writeFileSync(file, configuration(port, next)),
      shape,
    });
  },
};

function configuration(port: number, { backends, secondPort, leastConnections, otherRoute }: Shape): string {
  return `global
  nbthread 2
defaults
  mode http
  option http-keep-alive
  option forwardfor
  http-reuse safe
  retries 3
  option redispatch
  timeout connect 3s
  timeout client 1h
  timeout server 1h
frontend web
  bind 127.0.0.1:${port}
${secondPort === null ? "" : `  bind 127.0.0.1:${secondPort}`}
${otherRoute ? "  use_backend other if { path_beg /other }" : ""}
  default_backend app
backend app
  balance ${leastConnections ? "leastconn" : "roundrobin"}
${backends.map((backend) => `  server app${backend} 127.0.0.1:${backend}`).join("\n")}
backend other
  server other 127.0.0.1:${backends[0]}
`;
}
