import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { smallBody } from "./backends.ts";
import { accepts, freePorts } from "./ports.ts";
import { proxyCore, Started } from "./processes.ts";
import type { Launch, Mode, Proxy } from "./proxy.ts";

/** A proxy that runs and has been seen to work; it ends when disposed of. */
export interface Target extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly port: number;
  readonly process: Started;
}

/** Asks a proxy that has just started whether it does its work; throws an Error when it does not. */
export type Verify = (port: number, mode: Mode) => Promise<void>;

let launches = 0;

/** Starts a proxy on its core and verifies it with real requests; throws when it does not work. */
export async function startTarget(
  proxy: Proxy,
  settings: Omit<Launch, "port" | "folder">,
  parent: string,
  verify: Verify,
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
  return { proxy, port, process: started, [Symbol.asyncDispose]: () => started.end() };
}

/** Before the backends of backends.ts: the small response comes, and X-Forwarded-For is set in mode http. */
export async function forwards(port: number, mode: Mode): Promise<void> {
  const body = await get(port, "/");
  if (body !== smallBody) throw new Error(`wrong body through the proxy: ${JSON.stringify(body.slice(0, 200))}`);
  const forwarded = await get(port, "/forwarded");
  const expected = mode === "http" ? "127.0.0.1" : "";
  if (forwarded !== expected) throw new Error(`X-Forwarded-For is "${forwarded}", not "${expected}"`);
}

/** Before any backends: a response of 200 comes. */
export async function answers(port: number): Promise<void> {
  await get(port, "/");
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
