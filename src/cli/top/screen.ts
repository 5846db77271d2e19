import { emitKeypressEvents, type Key } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";

const ESC = "\u001b[";
/** A second buffer, so that what stood in the terminal is there again afterwards; no cursor; no wrapping of long lines. */
const BEGIN = `${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}2J`;
const END = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** The terminal shows what comes between at once, where it knows this (mode 2026); others take no notice. */
const HOLD = `${ESC}?2026h`;
const SHOW = `${ESC}?2026l`;

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
      output.write(`${ESC}2J`);
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
      out += `${ESC}${row + 1};1H${ESC}2K${line}`; // erased first: a full line leaves the cursor on its last column
    }
    if (lines.length < this.#shown.length) out += `${ESC}${lines.length + 1};1H${ESC}J`;
    this.#shown = [...lines];
    if (out !== "") this.#output.write(HOLD + out + SHOW);
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
