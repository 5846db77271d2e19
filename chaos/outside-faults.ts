import { fileURLToPath } from "node:url";
import { childrenOf, type WeirProcess } from "../test/fixtures/weir-process.ts";
import { LOST_BY_DEFAULT } from "./backend-faults.ts";
import type { Act } from "./fault.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Tells the module that was loaded into each of Weir's processes, and waits until each has heard it. */
async function tellAll(weir: WeirProcess, event: string): Promise<void> {
  const pids = [weir.pid, ...childrenOf(weir.pid)];
  for (const pid of pids) process.kill(pid, "SIGIO");
  await Promise.all(pids.map((pid) => weir.event(event, { pid })));
}

/** The time of day leaps under Weir. */
export const CLOCK: Act = {
  name: "clock",
  setting: { preload: here("leap.ts") },
  faults: [
    {
      name: "set forward by an hour",
      excuses: {},
      async happen({ weir, load }) {
        await load.answered(50);
        await tellAll(weir, "clock set forward");
        await load.answered(200);
        return [];
      },
    },
  ],
};

/** One of the backends is known by a name. */
export const NAMES: Act = {
  name: "names",
  setting: { preload: here("forget.ts"), lastHost: "localhost" },
  faults: [
    {
      name: "one stops resolving, and resolves again",
      // The backend is killed to end the connections that it has.
      excuses: LOST_BY_DEFAULT,
      async happen({ weir, backends: [, , , named], load }, holdMs) {
        await tellAll(weir, "name forgotten");
        // It is up again at once: what goes to it from now on needs a new connection, and for that the name.
        await named.kill();
        await named.startAgain();
        await Promise.any(childrenOf(weir.pid).map((pid) => weir.event("name asked for in vain", { pid })));
        await load.answered(200);
        await Bun.sleep(holdMs);
        await tellAll(weir, "name known");
        return [];
      },
    },
  ],
};
