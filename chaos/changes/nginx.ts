import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { httpBasics, nginxCommand, nginxProgram } from "../../bench/nginx-program.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import type { BalancerProgram, Shape } from "./balancer.ts";
import { started } from "./started.ts";

/** nginx: SIGHUP starts new workers with the new configuration and lets the old ones finish (nginx.org, "Controlling nginx"). */
export const nginxReloads: BalancerProgram = {
  title: "nginx",
  missing: () => (nginxProgram() === undefined ? "nginx is not installed" : null),
  async start(shape) {
    const folder = temporaryFolder();
    const file = join(folder.path, "http.conf");
    return started({
      title: "nginx",
      folder,
      signal: "SIGHUP",
      command: await nginxCommand(folder.path, `include ${file};`),
      write: (port, next) => writeFileSync(file, configuration(folder.path, port, next)),
      shape,
    });
  },
};

function configuration(
  folder: string,
  port: number,
  { backends, secondPort, leastConnections, otherRoute }: Shape,
): string {
  const forward = `proxy_http_version 1.1;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $host;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;`;
  return `http {
${httpBasics(folder)}
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  upstream app {
    ${leastConnections ? "least_conn;" : ""}
    ${backends.map((backend) => `server 127.0.0.1:${backend};`).join(" ")}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    ${secondPort === null ? "" : `listen 127.0.0.1:${secondPort};`}
    ${otherRoute ? `location /other { proxy_pass http://127.0.0.1:${backends[0]}; ${forward} }` : ""}
    location / {
      proxy_pass http://app;
      ${forward}
    }
  }
}`;
}
