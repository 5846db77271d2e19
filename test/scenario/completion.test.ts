import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { WEIR } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

const bash = Bun.which("bash");

/** An interactive bash in a terminal of its own, in which `weir` says what it was called with. */
class InteractiveBash implements AsyncDisposable {
  readonly #child: Bun.Subprocess;
  #shown = "";
  #stirred = Promise.withResolvers<void>();

  constructor(cwd: string) {
    const decoder = new TextDecoder();
    this.#child = Bun.spawn([bash ?? "bash", "--noprofile", "--norc", "-i"], {
      cwd,
      env: { ...process.env, TERM: "dumb", INPUTRC: "/dev/null", HISTFILE: "", PS1: "$ " },
      terminal: {
        cols: 200,
        rows: 50,
        data: (_terminal, data) => {
          this.#shown += decoder.decode(data, { stream: true });
          this.#stirred.resolve();
        },
      },
    });
    this.#type(`eval "$('${WEIR}' completion bash)"; weir() { printf '[%s]' "$@"; echo " called"; }\r`);
  }

  /** What a program is called with by a line, in which Tab is pressed where it has one. */
  async calledWith(line: string): Promise<string> {
    this.#shown = "";
    this.#type(`${line}\r`);
    for (;;) {
      const [, called] = /^(\[.*\]) called\r?$/m.exec(this.#shown) ?? [];
      if (called !== undefined) return called;
      this.#stirred = Promise.withResolvers();
      await this.#stirred.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#child.terminal?.close();
  }

  #type(keys: string): void {
    this.#child.terminal?.write(keys);
  }
}

test.if(bash !== null)("bash in a terminal completes files, whatever their names", async () => {
  using folder = temporaryFolder();
  mkdirSync(`${folder.path}/conf d`);
  for (const name of ["my weir.json", "other.json", "check.json", "it's $HOME.json", "conf d/inside.json"])
    writeFileSync(`${folder.path}/${name}`, "");
  await using shell = new InteractiveBash(folder.path);
  expect(await shell.calledWith("weir check oth\t")).toBe("[check][other.json]");
  expect(await shell.calledWith("weir check my\t")).toBe("[check][my weir.json]");
  expect(await shell.calledWith("weir check my\\ w\t")).toBe("[check][my weir.json]");
  expect(await shell.calledWith('weir check "my w\t')).toBe("[check][my weir.json]");
  expect(await shell.calledWith("weir check it\t")).toBe("[check][it's $HOME.json]");
  expect(await shell.calledWith("weir status --token-file my\t --once")).toBe(
    "[status][--token-file][my weir.json][--once]",
  );
  // A folder is gone on with.
  expect(await shell.calledWith("weir check con\tins\t")).toBe("[check][conf d/inside.json]");
  // A file that is named as the command is.
  expect(await shell.calledWith("weir check check\t")).toBe("[check][check.json]");
  expect(await shell.calledWith("weir che\t --al\t")).toBe("[check][--all]");
  // What takes no file completes none.
  expect(await shell.calledWith("weir status oth\t")).toBe("[status][oth]");
});
