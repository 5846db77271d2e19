import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, outputOf, versionIn } from "./programs.ts";

/** How to get nginx on Debian. */
export const nginxInstall = "nginx is not installed (Debian: apt-get install nginx-light)";

/** Open files that a worker may have: enough for the idle scenario, within what the system allows. */
export const openFiles: number = Math.min(20_000, hardLimit());

/** Where the nginx program is, if anywhere. */
export function nginxProgram(): string | undefined {
  return findProgram("nginx");
}

/** nginx's version number. */
export function nginxVersion(): string {
  return versionIn(outputOf([nginxProgram() ?? "nginx", "-v"]));
}

/** The `load_module` line that TCP mode needs, empty when it is built in, undefined when it is not there. */
export function streamModule(): string | undefined {
  const built = outputOf([nginxProgram() ?? "nginx", "-V"]);
  if (/--with-stream(\s|$)/.test(built)) return "";
  const folder = /--modules-path=(\S+)/.exec(built)?.[1] ?? "/usr/lib/nginx/modules";
  const file = join(folder, "ngx_stream_module.so");
  return existsSync(file) ? `load_module ${file};` : undefined;
}

/** Writes a configuration for one nginx worker around `blocks` and returns the command for it. */
export async function nginxCommand(folder: string, blocks: string, modules = ""): Promise<readonly string[]> {
  const file = join(folder, "nginx.conf");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  await Bun.write(
    file,
    `${modules}
${user}
daemon off;
worker_processes 1;
worker_rlimit_nofile ${openFiles};
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections ${openFiles - 1000}; }
${blocks}
`,
  );
  return [nginxProgram() ?? "nginx", "-p", folder, "-e", "stderr", "-c", file];
}

/** What every `http` block needs: no access log, connections never closed for their age, temporary files in the folder. */
export function httpBasics(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `  access_log off;
  default_type text/plain;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  sendfile on;
  tcp_nopush on;
${temporary.map((name) => `  ${name}_temp_path ${folder}/temp-${name};`).join("\n")}`;
}

function hardLimit(): number {
  const limit = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return limit === undefined ? 20_000 : Number(limit);
}
