import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { smallBody } from "./backends.ts";
import { accepts, freePorts } from "./ports.ts";
import { proxyCore, Started } from "./processes.ts";
import type { Launch, Mode, Proxy } from "./proxy.ts";

/** A proxy that runs and has been seen to work. */
export interface Target {
  readonly proxy: Proxy;
  readonly port: number;
  readonly process: Started;
}

let launches = 0;

/** Starts a proxy on its core and checks it with real requests; throws when it does not work. */
export async function startTarget(
  proxy: Proxy,
  settings: Omit<Launch, "port" | "folder">,
  parent: string,
): Promise<Target> {
  const folder = join(parent, `${proxy.name}-${launches++}`);
  await mkdir(folder);
  const [port = 0] = freePorts(1);
  const command = await proxy.command({ ...settings, port, folder });
  const started = new Started(proxy.name, command, proxyCore, folder);
  try {
    const ready = await accepts(port, () => started.ended);
    if (!ready) throw new Error(`it did not start: ${command.join(" ")}`);
    await verify(port, settings.mode);
  } catch (error) {
    await started.end();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\n${started.lastWords()}`.trim(), { cause: error });
  }
  return { proxy, port, process: started };
}

async function verify(port: number, mode: Mode): Promise<void> {
  const body = await get(port, "/");
  if (body !== smallBody) throw new Error(`wrong body through the proxy: ${JSON.stringify(body.slice(0, 200))}`);
  const forwarded = await get(port, "/forwarded");
  const expected = mode === "http" ? "127.0.0.1" : "";
  if (forwarded !== expected) throw new Error(`X-Forwarded-For is "${forwarded}", not "${expected}"`);
}

async function get(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    keepalive: false,
    signal: AbortSignal.timeout(5000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`status ${response.status} through the proxy: ${text.slice(0, 200)}`);
  return text;
}
