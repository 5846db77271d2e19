import type { Dice } from "../dice.ts";
import type { Asked } from "../ledger.ts";
import type { Stage } from "../stage.ts";
import { bodyBytes } from "./pool-bytes.ts";
import { inChunks } from "./pieces.ts";

/** Bodies of requests have numbers apart from those of responses. */
export const REQUEST_BODIES = 500_000;

/** A request as a client sends it. */
export interface Request {
  readonly asked: Asked;
  readonly bytes: Buffer;
  /** After how many bytes it waits, so long, for the backend to say that it may go on; 0 for never. */
  readonly pauseAfter: number;
  readonly pauseMs: number;
  /** How the client ends after it, if it does. */
  readonly ends: "" | "reset" | "close" | "finish" | "stall";
}

const METHODS = ["GET", "GET", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST", "POST", "PATCH"];
const LARGEST_BODY = 700_000;

/** Draws a request. */
export function drawRequest(
  { ledger, setting }: Stage,
  dice: Dice,
  client: number,
  old: boolean,
  last: boolean,
): Request {
  const faults = setting.clientFaults;
  const method = dice.pick(METHODS);
  const mayHaveBody = method !== "GET" && method !== "HEAD";
  const length = mayHaveBody && dice.oneIn(2) ? dice.size(1, dice.oneIn(6) ? LARGEST_BODY : 20_000) : 0;
  const chunked = length > 0 && !old && dice.oneIn(2);
  const lies = length > 0 && dice.permille(faults.lies);
  const aborts = dice.permille(faults.aborts);
  const stalls = dice.permille(faults.stalls);
  const asked = ledger.ask({ method, length, client, foul: lies || aborts || stalls });
  const closes = last && dice.oneIn(3);
  const upgrades = last && !old && !closes && method === "GET" && dice.oneIn(3);
  const expects = length > 0 && !old && dice.oneIn(6);
  const keeps = old && dice.oneIn(2);
  const body = bodyBytes(REQUEST_BODIES + asked.id, 0, length);
  const framed = chunked ? inChunks(dice, body, dice.oneIn(3) ? `X-Sum: ${asked.id}` : "") : body;
  asked.framing = framed.length - length;
  const announced = lies && !chunked ? length + dice.size(1, 1000) : length;
  const lines = [
    `${method} /request/${asked.id}?q=${dice.below(100)} HTTP/1.${old ? 0 : 1}`,
    "Host: sim.example",
    `X-Id: ${asked.id}`,
    ...(chunked ? ["Transfer-Encoding: chunked"] : mayHaveBody ? [`Content-Length: ${announced}`] : []),
    ...(dice.oneIn(4) ? [`X-Filler: ${"f".repeat(dice.size(1, 2000))}`] : []),
    ...(expects ? ["Expect: 100-continue"] : []),
    ...(upgrades ? ["Connection: Upgrade", "Upgrade: sim"] : []),
    ...(closes ? ["Connection: close"] : keeps ? ["Connection: keep-alive"] : []),
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  const whole = Buffer.concat([head, lies && chunked ? breakChunks(dice, framed) : framed]);
  if (aborts) {
    // In the middle of the request, or when all of it is sent.
    const cut = dice.oneIn(2) ? whole : whole.subarray(0, dice.below(whole.length + 1));
    return { ...NO_PAUSE, asked, bytes: cut, ends: dice.pick(["reset", "close", "finish"] as const) };
  }
  if (stalls) return { ...NO_PAUSE, asked, bytes: whole.subarray(0, dice.below(whole.length)), ends: "stall" };
  if (lies) return { ...NO_PAUSE, asked, bytes: whole, ends: "stall" };
  return {
    asked,
    bytes: whole,
    pauseAfter: expects ? head.length : 0,
    pauseMs: expects ? dice.size(1, 800) : 0,
    ends: "",
  };
}

const NO_PAUSE = { pauseAfter: 0, pauseMs: 0 };

/** Something in the framing becomes wrong; what is in the chunks stays. */
function breakChunks(dice: Dice, framed: Buffer): Buffer {
  const size = framed.indexOf("\r\n");
  return Buffer.concat([
    dice.oneIn(2) ? Buffer.from("z") : framed.subarray(0, size),
    Buffer.from("\n"),
    framed.subarray(size),
  ]);
}
