import { join } from "node:path";
import { haproxy } from "./haproxy.ts";
import { largePools, largeRoutes } from "./large-configuration.ts";
import { nginx } from "./nginx.ts";
import { httpBasics, nginxCommand } from "./nginx-program.ts";
import { findProgram } from "./programs.ts";
import { loadCore, proxyCore } from "./processes.ts";
import type { Launch, Proxy } from "./proxy.ts";

/** Another proxy with a large configuration, on both cores as Weir, and the signal on which it reads that anew. */
export interface Reloadable {
  readonly proxy: Proxy;
  readonly signal: NodeJS.Signals;
}

/** As users of each write so many routes: virtual servers in nginx, and a map in HAProxy, whose rules are tried one after another. */
export const largeOthers: readonly Reloadable[] = [
  { proxy: { ...haproxy, command: async (launch) => onBoth(await haproxyWithMap(launch)) }, signal: "SIGUSR2" },
  {
    proxy: { ...nginx, command: async (launch) => onBoth(await nginxCommand(launch.folder, virtualServers(launch))) },
    signal: "SIGHUP",
  },
];

function onBoth(command: readonly string[]): readonly string[] {
  return ["taskset", "-c", `${proxyCore},${loadCore}`, ...command];
}

async function haproxyWithMap({ port, backends, folder }: Launch): Promise<readonly string[]> {
  const file = join(folder, "haproxy.cfg");
  const map = join(folder, "hosts.map");
  await Bun.write(
    map,
    largeRoutes().map(({ host, pool }) => `${host} ${pool}\n`),
  );
  const pools = [...largePools(), ["app", backends.map((each) => `127.0.0.1:${each}`)] as const];
  const sections = pools.map(
    ([name, servers]) => `backend ${name}\n${servers.map((address, i) => `  server s${i} ${address}\n`).join("")}`,
  );
  await Bun.write(
    file,
    `global
  nbthread 1
  maxconn 4000
  stats socket ${folder}/haproxy.sock mode 600 level admin expose-fd listeners
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend web
  bind 127.0.0.1:${port}
  use_backend %[req.hdr(host),map(${map},app)]
${sections.join("")}`,
  );
  return [findProgram("haproxy") ?? "haproxy", "-W", "-db", "-f", file];
}

function virtualServers({ port, backends, folder }: Launch): string {
  const upstreams = [...largePools(), ["app", backends.map((each) => `127.0.0.1:${each}`)] as const].map(
    ([name, servers]) =>
      `  upstream ${name} {\n${servers.map((each) => `    server ${each};\n`).join("")}  keepalive 16; }`,
  );
  const forwarded = `proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;
  const servers = largeRoutes().map(
    ({ host, prefix, pool }) =>
      `  server { listen 127.0.0.1:${port}; server_name ${host}; location ${prefix} { ${forwarded} proxy_pass http://${pool}; } }`,
  );
  return `http {
${httpBasics(folder)}
  server_names_hash_max_size 65536;
  server_names_hash_bucket_size 128;
${upstreams.join("\n")}
  server { listen 127.0.0.1:${port} default_server; location / { ${forwarded} proxy_pass http://app; } }
${servers.join("\n")}
}`;
}
