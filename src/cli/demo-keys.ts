import { emitKeypressEvents, type Key } from "node:readline";
import type { DemoBackend } from "./demo-backends.ts";
import { perform } from "./demo-steps.ts";
import type { DemoTraffic } from "./demo-traffic.ts";

/** Requests a second that `t` begins with. */
export const TRAFFIC = 50;

/** What the keys are, in a line. */
export function keysText(backends: number): string {
  return `Keys: 1–${backends} choose a backend, s makes it slow or fast, x stops or starts it, t sends traffic or none, q ends.`;
}

/**
 * Lets a person play with the backends by keys of the terminal.
 * @returns what gives the terminal back
 */
export function demoKeys(
  backends: readonly DemoBackend[],
  traffic: DemoTraffic,
  say: (line: string) => void,
): () => void {
  const { stdin } = process;
  let chosen = 0;
  const tell = (did: string): void => say(`backend ${chosen + 1} (:${backends[chosen]?.port ?? ""}) ${did}`);
  const act = (name: "slow" | "fast" | "stop" | "start", backend: DemoBackend): void => {
    void perform(name, backend).then(tell, (error: unknown) => tell(String(error)));
  };
  const pressed = (text: string | undefined, { name, ctrl }: Key): void => {
    const backend = backends[chosen];
    // In raw mode the terminal makes no signals of keys.
    if (name === "q" || (ctrl === true && name === "c")) process.kill(process.pid, "SIGINT");
    else if (text !== undefined && /^\d$/.test(text) && backends[Number(text) - 1] !== undefined) {
      chosen = Number(text) - 1;
      tell("is chosen");
    } else if (name === "s" && backend !== undefined) act(backend.slow ? "fast" : "slow", backend);
    else if (name === "x" && backend !== undefined) act(backend.stopped ? "start" : "stop", backend);
    else if (name === "t") {
      traffic.rate = traffic.rate > 0 ? 0 : TRAFFIC;
      say(traffic.rate > 0 ? `${traffic.rate} requests a second are sent` : "nothing is sent any more");
    }
  };
  const back = (): void => void stdin.setRawMode(false);
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.on("keypress", pressed);
  stdin.resume();
  process.on("exit", back);
  return () => {
    process.off("exit", back);
    stdin.off("keypress", pressed);
    back();
    stdin.pause();
  };
}
