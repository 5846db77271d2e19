import type { TemporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { childrenOf } from "../../test/fixtures/weir-process.ts";
import { killAll } from "../child.ts";
import { accepting, freePort } from "../ports.ts";
import type { Balancer, Shape } from "./balancer.ts";

/** How a program is run that reads a file and is told by a signal to read it again. */
export interface Started {
  readonly title: string;
  readonly folder: TemporaryFolder;
  readonly command: readonly string[];
  readonly signal: NodeJS.Signals;
  readonly write: (port: number, shape: Shape) => void;
  readonly shape: Shape;
}

/** Starts it, and waits until it accepts. */
export async function started({ title, folder, command, signal, write, shape }: Started): Promise<Balancer> {
  const port = freePort();
  write(port, shape);
  const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"] });
  await accepting(port);
  return {
    title,
    port,
    acts: [],
    change(next) {
      write(port, next);
      child.kill(signal);
      return Promise.resolve();
    },
    processes: () => [child.pid, ...childrenOf(child.pid)],
    async [Symbol.asyncDispose]() {
      await killAll([child.pid, ...childrenOf(child.pid)]);
      folder[Symbol.dispose]();
    },
  };
}
