import { join } from "node:path";
import { openFiles } from "./nginx-program.ts";
import { findProgram, outputOf, versionIn } from "./programs.ts";
import type { Launch, Proxy } from "./proxy.ts";

/** What may differ from one HAProxy to another. */
export interface HaproxySettings {
  /** The arguments of `balance`. */
  readonly balance: string;
  /** More words of each `server` line. */
  readonly server?: string;
  /** More lines of the backend. */
  readonly lines?: readonly string[];
}

/** HAProxy with one thread. */
export const haproxy: Proxy = haproxyWith({ balance: "roundrobin" });

/** HAProxy with one thread and settings of its own. */
export function haproxyWith(settings: HaproxySettings): Proxy {
  return {
    name: "haproxy",
    title: "HAProxy",
    mostRounds: Infinity,
    missing: () =>
      findProgram("haproxy") === undefined ? "HAProxy is not installed (Debian: apt-get install haproxy)" : undefined,
    version: () => versionIn(outputOf([program(), "-v"])),
    async command(launch) {
      const file = join(launch.folder, "haproxy.cfg");
      await Bun.write(file, configuration(launch, settings));
      const command = [program(), "-db", "-f", file];
      // It writes to no file by itself, but to a descriptor that is one.
      const log = join(launch.folder, "access.log");
      return launch.accessLog === true ? ["sh", "-c", `exec "$@" >> '${log}'`, "sh", ...command] : command;
    },
  };
}

function program(): string {
  return findProgram("haproxy") ?? "haproxy";
}

/** What Weir's own lines tell, as far as HAProxy knows it. */
const fields = {
  time: '"%[date,utime(%Y-%m-%dT%H:%M:%S)]"',
  listener: '"%f"',
  pool: '"%b"',
  client: '"%ci"',
  method: '"%HM"',
  host: '"%[capture.req.hdr(2)]"',
  target: '"%HU"',
  status: "%ST",
  code: '"%ts"',
  bytesIn: "%U",
  bytesOut: "%B",
  durationMs: "%Ta",
  backend: '"%s"',
  connectMs: "%Tc",
  responseMs: "%Tr",
  attempts: "%rc",
  userAgent: '"%[capture.req.hdr(0)]"',
  referer: '"%[capture.req.hdr(1)]"',
};
const jsonLog = `  log global
  capture request header User-Agent len 256
  capture request header Referer len 256
  capture request header Host len 256
  log-format '%{+E}o {${Object.entries(fields)
    .map(([name, value]) => `"${name}":${value}`)
    .join(",")}}'`;

function configuration(
  { mode, port, backends, largeBuffers, accessLog = false }: Launch,
  { balance, server = "", lines = [] }: HaproxySettings,
): string {
  const http = `  option http-keep-alive
  option forwardfor
  http-reuse always
  timeout http-keep-alive 1h`;
  return `global
  nbthread 1
${largeBuffers ? "  tune.bufsize 65536" : ""}
${accessLog ? "  log stdout len 4096 format raw local0 info" : ""}
  maxconn ${Math.floor(openFiles / 2) - 500}
defaults
  mode ${mode}
  balance ${balance}
  timeout connect 3s
  timeout client 1h
  timeout server 1h
${mode === "http" ? http : ""}
frontend web
  bind 127.0.0.1:${port} backlog 4096
${accessLog ? jsonLog : ""}
  default_backend app
backend app
${lines.map((line) => `  ${line}\n`).join("")}${backends.map((backend, index) => `  server app${index} 127.0.0.1:${backend} ${server}`).join("\n")}
`;
}
