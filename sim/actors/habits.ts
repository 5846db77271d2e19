import type { Dice } from "../dice.ts";

/** What clients do wrong, each in thousandths of their requests or connections. */
export interface ClientFaults {
  /** Goes away in the middle: by a reset, a close or a FIN. */
  readonly aborts: number;
  /** Stops sending in the middle, for ever. */
  readonly stalls: number;
  /** Announces more than it sends, or breaks its chunks. */
  readonly lies: number;
  /** Stops reading, for ever. */
  readonly stopsReading: number;
  /** Waits longer between its requests than it is waited for. */
  readonly dawdles: number;
}

/** What backends do wrong, each in thousandths of their responses. */
export interface BackendFaults {
  /** Closes a connection that waits for its next request, some time after the last. */
  readonly closesIdle: number;
  /** Ends before it has answered. */
  readonly closesEarly: number;
  /** Ends in the middle of a response. */
  readonly breaksOff: number;
  /** Never answers. */
  readonly silent: number;
  /** Stops in the middle of a response, for ever. */
  readonly stalls: number;
  /** Announces another length than it sends. */
  readonly lies: number;
  /** Sends more than it was asked for. */
  readonly talksOn: number;
  /** Sends what is no HTTP. */
  readonly babbles: number;
  /** Answers before it has read the request. */
  readonly answersEarly: number;
  /** Does not read the request's body. */
  readonly stopsReading: number;
  /** Answers 500 to 503. */
  readonly fails: number;
}

export const NO_CLIENT_FAULTS: ClientFaults = { aborts: 0, stalls: 0, lies: 0, stopsReading: 0, dawdles: 0 };

export const NO_BACKEND_FAULTS: BackendFaults = {
  closesIdle: 0,
  closesEarly: 0,
  breaksOff: 0,
  silent: 0,
  stalls: 0,
  lies: 0,
  talksOn: 0,
  babbles: 0,
  answersEarly: 0,
  stopsReading: 0,
  fails: 0,
};

/** Draws which of the faults there are in a run, and how often: most runs have few of them, so that each is seen alone too. */
export function drawFaults<F extends object>(dice: Dice, none: F, most: number): F {
  const oneIn = dice.between(1, 6);
  const drawn = Object.keys(none).map((name) => [name, dice.oneIn(oneIn) ? dice.size(20, most) : 0]);
  return Object.fromEntries(drawn) as F;
}
