import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { childrenOf, weir, type WeirProcess } from "../../test/fixtures/weir-process.ts";
import { freePort } from "../ports.ts";
import { killAll } from "../child.ts";
import type { Balancer, BalancerProgram, Shape } from "./balancer.ts";

const LOOK_MS = 5;
const PATIENCE_MS = 30_000;

/** Weir with two workers: SIGHUP reloads, SIGUSR2 upgrades. */
export const weirReloads: BalancerProgram = {
  title: "Weir",
  missing: () => null,
  async start(shape): Promise<Balancer> {
    const folder = temporaryFolder();
    const file = join(folder.path, "weir.json");
    const socket = join(folder.path, "admin.sock");
    const port = freePort();
    writeFileSync(file, configuration(folder.path, port, shape));
    const running = weir(["serve", file], { admin: true });
    await running.address();
    /** Who decides now: another process after an upgrade. */
    let supervisor = running.pid;
    return {
      title: "Weir",
      port,
      async change(next) {
        writeFileSync(file, configuration(folder.path, port, next));
        const before = inForce(running);
        process.kill(supervisor, "SIGHUP");
        await until(() => inForce(running) > before);
      },
      acts: [
        {
          name: "worker renewed",
          async run() {
            await post(socket, "/v1/workers/0/renew");
          },
        },
        {
          name: "upgrade",
          async run() {
            process.kill(supervisor, "SIGUSR2");
            supervisor = Number((await running.event("upgrade done"))["pid"]);
          },
        },
      ],
      processes: () => [...new Set([running.pid, supervisor].flatMap(descendants))],
      async [Symbol.asyncDispose]() {
        // The first one may have ended, and then the next is nobody's child any more.
        await killAll([...new Set([running.pid, supervisor].flatMap(descendants))]);
        folder[Symbol.dispose]();
      },
    };
  },
};

/** Asks the admin API to do something. */
async function post(socket: string, path: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`http://localhost${path}`, { unix: socket, method: "POST", headers, body: "{}" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** How often Weir has said that a configuration is in force. */
function inForce(running: WeirProcess): number {
  return running.log.filter(({ event }) => event === "configuration in force").length;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error("Weir did not say that the configuration is in force");
    await Bun.sleep(LOOK_MS);
  }
}

/** A process and all below it: after an upgrade the new one is a child of the old one. */
function descendants(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(descendants)];
}

function configuration(
  folder: string,
  port: number,
  { backends, secondPort, leastConnections, otherRoute }: Shape,
): string {
  const routes = [{ pool: "app" }, ...(otherRoute ? [{ path: "/other/*", pool: "other" }] : [])];
  return JSON.stringify({
    workers: 2,
    admin: `unix:${folder}/admin.sock`,
    stateFolder: folder,
    listeners: {
      main: { address: `127.0.0.1:${port}`, routes },
      ...(secondPort === null ? {} : { second: { address: `127.0.0.1:${secondPort}`, pool: "app" } }),
    },
    pools: {
      app: {
        policy: leastConnections ? "least-connections" : "round-robin",
        backends: backends.map((backend) => `127.0.0.1:${backend}`),
      },
      other: { backends: [`127.0.0.1:${backends[0]}`] },
    },
  });
}
