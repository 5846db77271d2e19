/** Work that can be left and taken up again: each step is short. */
export type Steps<T> = Generator<void, T, void>;

/** Does all of it at once, where nobody waits for anything yet. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
