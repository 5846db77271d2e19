import { parseAddress } from "../../address.ts";
import type { Overlay } from "../../config/overlay/overlay.ts";
import type { HealthLegacy } from "../supervise/health.ts";
import type { Legacy } from "../supervise/sockets.ts";

/** Where a successor finds what it is given. */
export const LEGACY_VARIABLE = "WEIR_LEGACY";

/** Listening sockets as the environment has them. */
export interface Legated {
  readonly address: string;
  readonly listener: Legacy["listener"];
  readonly more: boolean;
  readonly fds: readonly number[];
}

/** What the predecessor says. */
export interface Legator {
  readonly kind: "edits";
  readonly edits: Overlay;
  /** The file that a reload has put in the place of what the arguments say. */
  readonly file?: string | null;
  /** What is known of health, in a form that has a number: one of another form is not understood, and is done without. */
  readonly health?: ({ readonly version: number } & HealthLegacy) | null;
}

/** What the successor says, once all its workers accept. */
export interface FromSuccessor {
  readonly kind: "ready";
}

/** What a predecessor has left to this process. */
export interface Succession {
  readonly legacy: readonly Legacy[];
  /** Run-time edits that held there. */
  readonly edits: Overlay;
  /** The file that a reload had named there; `null` for what the arguments say. */
  readonly file: string | null;
  /** What was known of health there; `null` where that was not told, or not understood. */
  readonly health: HealthLegacy | null;
  /** Tells the predecessor that it may go. */
  ready(): void;
}

/** The form of what is said of health. */
export const HEALTH_VERSION = 1;

/** A predecessor says what it has to say at once. */
const TELL_TIMEOUT_MS = 5000;

/** What this process has been left by a predecessor; `null` where it has none. To be called once, before anything is started. */
export async function succession(): Promise<Succession | null> {
  const text = process.env[LEGACY_VARIABLE];
  // Workers and later successors are not to find it.
  delete process.env[LEGACY_VARIABLE];
  if (text === undefined || process.send === undefined) return null;
  // Written by the predecessor.
  const legated = JSON.parse(text) as readonly Legated[];
  const legacy = legated.map(({ address, ...rest }): Legacy => ({ address: parseAddress(address), ...rest }));
  const { edits, file = null, health = null } = await told();
  return { legacy, edits, file, health: health?.version === HEALTH_VERSION ? health : null, ready };
}

async function told(): Promise<Legator> {
  const said = Promise.withResolvers<Legator>();
  process.once("message", (message) => said.resolve(message as Legator));
  const late = setTimeout(() => said.resolve({ kind: "edits", edits: [] }), TELL_TIMEOUT_MS);
  try {
    return await said.promise;
  } finally {
    clearTimeout(late);
  }
}

function ready(): void {
  const message: FromSuccessor = { kind: "ready" };
  process.send?.(message, undefined, undefined, () => process.disconnect?.());
}
