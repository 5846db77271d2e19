import type { Dice } from "../dice.ts";
import type { Executed } from "../ledger.ts";
import type { Stage } from "../stage.ts";
import { drawPace, inChunks, inPieces } from "./pieces.ts";
import { bodyBytes } from "./pool-bytes.ts";
import type { Step } from "./script.ts";

/** How a backend answers one request. */
export interface Answering {
  readonly steps: readonly Step[];
  /** Whether what it sends is a whole response. */
  readonly finishes: boolean;
  /** Whether it answers before it has read the request. */
  readonly early: boolean;
  /** How the connection ends after it. */
  readonly end: "" | "close" | "finish" | "reset" | "stall";
  /** After how many milliseconds it closes the connection that waits; −1 for never. */
  readonly idleMs: number;
  /** Bytes of the framing of its body. */
  readonly framing: number;
  /** Bytes of what it sends beyond what it was asked for; 0 for nothing. */
  readonly beyond: number;
}

const LARGEST_BODY = 900_000;
const NOTHING = { steps: [], finishes: false, early: false, idleMs: -1, framing: 0, beyond: 0 };

/** Draws the answer to a request. */
export function drawAnswer({ setting }: Stage, dice: Dice, executed: Executed, method: string): Answering {
  const faults = setting.backendFaults;
  const wait: Step[] = dice.oneIn(2) ? [] : [{ kind: "wait", ms: dice.size(1, 300) }];
  const early = dice.permille(faults.answersEarly);
  if (dice.permille(faults.silent)) return { ...NOTHING, end: "stall" };
  if (dice.permille(faults.closesEarly))
    return { ...NOTHING, steps: wait, early, end: dice.pick(["close", "reset", "finish"] as const) };
  if (dice.permille(faults.babbles)) return { ...NOTHING, steps: [...wait, babble(dice)], early, end: "stall" };
  const status = dice.permille(faults.fails)
    ? dice.between(500, 503)
    : dice.pick([200, 200, 200, 200, 201, 204, 304, 404]);
  executed.status = status;
  const bodyless = method === "HEAD" || status === 204 || status === 304;
  const length = dice.oneIn(4) ? 0 : dice.size(1, dice.oneIn(6) ? LARGEST_BODY : 30_000);
  executed.length = length;
  const framing = status === 204 ? "none" : dice.pick(["length", "length", "chunked", "close"] as const);
  const saysClose = framing === "close" || dice.oneIn(8);
  const lies = dice.permille(faults.lies) && framing === "length" && !bodyless;
  const head = headOf(dice, executed, framing, saysClose, lies ? length + dice.size(1, 500) : length);
  const body = bodyBytes(executed.number, 0, bodyless ? 0 : length);
  const framed =
    framing === "chunked" && !bodyless ? inChunks(dice, body, dice.oneIn(3) ? `X-End: ${executed.number}` : "") : body;
  const interim = dice.oneIn(12)
    ? [`HTTP/1.1 103 Early Hints\r\nX-Exec: ${executed.number}\r\nLink: </a>\r\n\r\n`]
    : [];
  const whole = Buffer.concat([...interim.map((text) => Buffer.from(text)), head, framed]);
  const breaks = dice.permille(faults.breaksOff);
  const stalls = dice.permille(faults.stalls);
  const cut = breaks || stalls ? dice.below(whole.length) : whole.length;
  const steps = [...wait, ...inPieces(dice, whole.subarray(0, cut), drawPace(dice))];
  const finishes = !breaks && !stalls && !lies;
  const framingBytes = framed.length - body.length;
  if (stalls) return { ...NOTHING, steps, early, end: "stall", framing: framingBytes };
  if (breaks || lies) {
    // A FIN is the end in order of a body that ends with the connection: such a one breaks off by a reset.
    const end = framing === "close" && !bodyless ? "reset" : dice.pick(["reset", "close", "finish"] as const);
    return { ...NOTHING, steps, finishes: false, early, end, framing: framingBytes };
  }
  if (saysClose)
    return { ...NOTHING, steps, finishes, early, framing: framingBytes, end: dice.oneIn(4) ? "finish" : "close" };
  const beyond = dice.permille(faults.talksOn) ? dice.size(1, 200) : 0;
  const idleMs = dice.permille(faults.closesIdle) ? dice.size(0, 2000) : -1;
  return { ...NOTHING, steps, finishes, early, end: "", idleMs, framing: framingBytes, beyond };
}

function headOf(
  dice: Dice,
  { number, status }: Executed,
  framing: "length" | "chunked" | "close" | "none",
  saysClose: boolean,
  length: number,
): Buffer {
  const lines = [
    `HTTP/1.1 ${status} ${dice.oneIn(5) ? "" : "Some Reason"}`,
    `X-Exec: ${number}`,
    ...(framing === "length"
      ? [`Content-Length: ${length}`]
      : framing === "chunked"
        ? ["Transfer-Encoding: chunked"]
        : []),
    ...(dice.oneIn(4) ? [`X-Filler: ${"f".repeat(dice.size(1, 2000))}`] : []),
    ...(saysClose ? ["Connection: close"] : dice.oneIn(6) ? [`Keep-Alive: timeout=${dice.between(1, 20)}`] : []),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

/** What is no response. */
function babble(dice: Dice): Step {
  const text = dice.pick([
    "\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(40_000)}\r\n\r\n`,
    "\u0016\u0003\u0001\u0002",
  ]);
  return { kind: "send", bytes: Buffer.from(text, "latin1") };
}
