import { httpBasics, nginxCommand, nginxInstall, nginxProgram, nginxVersion, streamModule } from "./nginx-program.ts";
import type { Launch, Proxy } from "./proxy.ts";

/** What may differ from one nginx to another, in mode http. */
export interface NginxSettings {
  /** The directive that chooses a server; none is round robin. */
  readonly balance?: string;
  /** More words of each `server` directive. */
  readonly server?: string;
}

/** nginx with one worker. */
export const nginx: Proxy = nginxWith({});

/** nginx with one worker and settings of its own. */
export function nginxWith(settings: NginxSettings): Proxy {
  return {
    name: "nginx",
    title: "nginx",
    mostRounds: Infinity,
    missing(mode) {
      if (nginxProgram() === undefined) return nginxInstall;
      if (mode === "tcp" && streamModule() === undefined) {
        return "nginx has no stream module (Debian: apt-get install libnginx-mod-stream)";
      }
      return undefined;
    },
    version: nginxVersion,
    command(launch) {
      return launch.mode === "tcp"
        ? nginxCommand(launch.folder, tcpBlock(launch), streamModule())
        : nginxCommand(launch.folder, httpBlock(launch, settings));
    },
  };
}

/** As much as one read and one write of the kernel move at best. */
const bigger = `      proxy_buffer_size 64k;
      proxy_buffers 16 64k;
      proxy_busy_buffers_size 512k;`;

/** What Weir's own lines tell, as far as nginx knows it; written in batches as Weir's are. */
function jsonLog(folder: string): string {
  const texts = {
    time: "time_iso8601",
    client: "remote_addr",
    method: "request_method",
    host: "http_host",
    target: "request_uri",
    backend: "upstream_addr",
    connectMs: "upstream_connect_time",
    responseMs: "upstream_header_time",
    upstreamStatus: "upstream_status",
    requestId: "http_x_request_id",
    userAgent: "http_user_agent",
    referer: "http_referer",
  };
  const numbers = { status: "status", bytesIn: "request_length", bytesOut: "bytes_sent", duration: "request_time" };
  const fields = [
    ...Object.entries(texts).map(([name, variable]) => `"${name}":"$${variable}"`),
    ...Object.entries(numbers).map(([name, variable]) => `"${name}":$${variable}`),
  ];
  return `  log_format weir escape=json '{"listener":"web","pool":"app",${fields.join(",")}}';
  access_log ${folder}/access.log weir buffer=64k flush=1s;`;
}

function httpBlock(
  { port, backends, folder, largeBuffers, accessLog = false }: Launch,
  { balance, server = "" }: NginxSettings,
): string {
  const basics = httpBasics(folder);
  return `http {
${accessLog ? basics.replace("  access_log off;", jsonLog(folder)) : basics}
  upstream app {
${balance === undefined ? "" : `    ${balance};`}
${backends.map((backend) => `    server 127.0.0.1:${backend} ${server};`).join("\n")}
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_max_temp_file_size 0;
${largeBuffers ? bigger : ""}
    }
  }
}`;
}

function tcpBlock({ port, backends }: Launch): string {
  return `stream {
  upstream app {
${backends.map((backend) => `    server 127.0.0.1:${backend};`).join("\n")}
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_pass app;
    proxy_connect_timeout 3s;
    proxy_timeout 1h;
  }
}`;
}
