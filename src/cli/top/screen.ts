import { emitKeypressEvents, type Key } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import {
  cursorHide,
  cursorShow,
  cursorTo,
  enterAlternativeScreen,
  eraseDown,
  eraseLine,
  eraseScreen,
  exitAlternativeScreen,
  synchronizedOutput,
} from "ansi-escapes";

/** Of DEC's VT100, as all terminals have it: whether a line that is too long goes on in the next one. */
const NO_WRAP = "\u001b[?7l";
const WRAP = "\u001b[?7h";
/** A second buffer, so that what stood in the terminal is there again afterwards; no cursor; no wrapping of long lines. */
const BEGIN = enterAlternativeScreen + cursorHide + NO_WRAP + eraseScreen;
const END = WRAP + cursorShow + exitAlternativeScreen;

/** A terminal that is taken over, and given back as it was. */
export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #shown: string[] = [];
  #open = true;
  readonly #key: (text: string | undefined, key: Key) => void;
  readonly #resize: () => void;
  readonly #close = (): void => this.close();

  /**
   * @param key told of each key by its name: `q`, `up`, `c` with `ctrl`
   * @param resized told when the terminal has another size
   */
  constructor(input: ReadStream, output: WriteStream, key: (name: string, ctrl: boolean) => void, resized: () => void) {
    this.#input = input;
    this.#output = output;
    this.#key = (text, { name, ctrl }) => key(name ?? text ?? "", ctrl === true);
    this.#resize = () => {
      this.#shown = [];
      output.write(eraseScreen);
      resized();
    };
    emitKeypressEvents(input);
    input.setRawMode(true);
    input.on("keypress", this.#key);
    input.resume();
    output.on("resize", this.#resize);
    process.on("exit", this.#close); // also after an error that nobody caught
    output.write(BEGIN);
  }

  get size(): { readonly columns: number; readonly rows: number } {
    // A terminal that does not say is taken for the smallest usual one.
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  /** Shows lines; writes only those that differ, which over ssh is most of the cost. */
  show(lines: readonly string[]): void {
    if (!this.#open) return;
    let out = "";
    for (const [row, line] of lines.entries()) {
      if (this.#shown[row] === line) continue;
      out += cursorTo(0, row) + eraseLine + line; // erased first: a full line leaves the cursor on its last column
    }
    if (lines.length < this.#shown.length) out += cursorTo(0, lines.length) + eraseDown;
    this.#shown = [...lines];
    // Shown at once, where the terminal knows how (mode 2026); others take no notice.
    if (out !== "") this.#output.write(synchronizedOutput(out));
  }

  /** Gives the terminal back. Harmless if called again. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off("exit", this.#close);
    this.#input.off("keypress", this.#key);
    this.#output.off("resize", this.#resize);
    this.#input.setRawMode(false);
    this.#input.pause();
    this.#output.write(END);
  }
}
