/** Requests that the demo sends by itself, so that there is something to see. */
export interface DemoTraffic {
  /** Requests a second; 0 for none. */
  rate: number;
  stop(): void;
}

/** Requests that may be without an answer; beyond them none are sent, as clients would give up. */
const MOST_OPEN = 256;
const STEP_MS = 20;

/** Sends requests to a URL at a steady rate, whatever becomes of those before. */
export function startTraffic(url: string, rate: number): DemoTraffic {
  let open = 0;
  let owed = 0;
  let last = performance.now();
  const send = async (): Promise<void> => {
    open += 1;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      await response.arrayBuffer();
    } catch {
      // The dashboard shows it.
    } finally {
      open -= 1;
    }
  };
  const timer = setInterval(() => {
    const now = performance.now();
    owed = Math.min(owed + (traffic.rate * (now - last)) / 1000, traffic.rate);
    last = now;
    for (; owed >= 1; owed -= 1) if (open < MOST_OPEN) void send();
  }, STEP_MS);
  const traffic: DemoTraffic = { rate, stop: () => clearInterval(timer) };
  return traffic;
}
