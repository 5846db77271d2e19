/** Alarms that come together are told once: a backend that asks to be drained does so in each of its responses. */
const TOGETHER_MS = 5;

/** Tells a moment after it was asked to, once for all that asked in between; never while whoever asks is at work. */
export function together(tell: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      tell();
    }, TOGETHER_MS).unref();
  };
}
