import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { httpBasics, nginxCommand } from "./nginx-program.ts";
import { accepts, freePorts } from "./ports.ts";
import { loadCore, Started } from "./processes.ts";

/** The small response's body: 100 bytes. */
export const smallBody: string = "weir".repeat(25);
/** The size of the response at /large. */
export const largeBytes: number = 10 * 1024 * 1024;

/** Three backends in one nginx worker on the load core; they end when disposed of. */
export interface Backends extends AsyncDisposable {
  readonly ports: readonly number[];
}

/**
 * Starts the backends: `/` is small, `/large` 10 MiB, `/forwarded` says which X-Forwarded-For came.
 * @param narrow with small buffers of the system: on the loopback they are megabytes for each connection
 */
export async function startBackends(parent: string, narrow: boolean): Promise<Backends> {
  const folder = join(parent, narrow ? "narrow-backends" : "backends");
  const buffers = narrow ? " sndbuf=64k" : "";
  await mkdir(join(folder, "files"), { recursive: true });
  await Bun.write(join(folder, "files", "large"), new Uint8Array(largeBytes).fill(0x77));
  const ports = freePorts(3);
  const blocks = `http {
${httpBasics(folder)}
  server {
${ports.map((port) => `    listen 127.0.0.1:${port} backlog=4096${buffers};`).join("\n")}
    server_tokens off;
    location = / { return 200 "${smallBody}"; }
    location = /forwarded { return 200 "$http_x_forwarded_for"; }
    location = /large { root ${folder}/files; }
  }
}`;
  const process = new Started("backends", await nginxCommand(folder, blocks), loadCore, folder);
  for (const port of ports) {
    if (await accepts(port, () => process.ended)) continue;
    throw new Error(`the backends (nginx) did not start:\n${process.lastWords()}`);
  }
  return { ports, [Symbol.asyncDispose]: () => process.end() };
}
