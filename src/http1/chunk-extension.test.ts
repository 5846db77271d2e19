import { describe, expect, test } from "bun:test";
import { EXTENSION, type ExtensionState, extensionMayEnd, readExtension } from "./chunk-extension.ts";

/** Whether this may stand between the semicolon and the line's end. */
function whole(text: string): boolean {
  let state: ExtensionState = EXTENSION.start;
  for (const byte of Buffer.from(text, "latin1")) state = readExtension(state, byte);
  return extensionMayEnd(state);
}

describe("an extension", () => {
  for (const text of [
    "a",
    "a=b",
    "a=b;c=d",
    "a;b;c",
    'a="b;c"',
    'a="b\\"c"',
    'a="";b',
    " a = b ; c",
    '\ta="x\ty"',
    'a="\u00e4"',
  ])
    test(`may be ${JSON.stringify(text)}`, () => expect(whole(text)).toBe(true));
});

describe("no extension", () => {
  const none = [
    "",
    " ",
    "=b",
    "a=",
    "a;",
    ";",
    "a b",
    "a=b c",
    'a="b',
    'a="b\\"',
    'a="b"c',
    "a ",
    "a=b ",
    'a="b" ',
    "a\0",
    "a\n",
    'a="\n"',
  ];
  for (const text of [...none, "a\u007f", "\u00e4", "a=\u00e4", "a/b", "a=b=c"])
    test(`is ${JSON.stringify(text)}`, () => expect(whole(text)).toBe(false));
});
