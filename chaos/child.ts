import { gone } from "../test/fixtures/weir-process.ts";

/** A program of this folder as a child process. It is killed with this process, also while it is stopped. */
export function startProgram(
  name: string,
  args: readonly (string | number)[],
): Bun.Subprocess<"pipe", "pipe", "inherit"> {
  return Bun.spawn([process.execPath, new URL(name, import.meta.url).pathname, ...args.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, BUN_FEATURE_FLAG_NO_ORPHANS: "1" },
  });
}

/** The lines of a stream as they come. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Kills processes that were started here, and waits until they are gone. Some may end with others. */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  await Promise.all(pids.map(gone));
}
