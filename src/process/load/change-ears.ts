/** Who is told of changes to the configuration of a running Weir, one after another; not of those that are only tried. */
export interface ChangeEars {
  /** It is about to be read again. */
  reloading(): void;
  /** A change is over: in force, or refused. */
  changed(): void;
}

/** Where nobody wants to know. */
export const deaf: ChangeEars = { reloading() {}, changed() {} };
