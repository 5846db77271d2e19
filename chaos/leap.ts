/**
 * Loaded into Weir's processes: at SIGIO the time of day is an hour later, which is what setting the system's clock does to a program. The
 * monotonic clock goes on, as it does there.
 */
const HOUR_MS = 3_600_000;

const Real = Date;
let aheadMs = 0;

globalThis.Date = new Proxy(Real, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Real.now() + aheadMs] : args, newTarget) as Date,
  get: (target, key): unknown =>
    key === "now" ? (): number => Real.now() + aheadMs : (Reflect.get(target, key) as unknown),
});

process.on("SIGIO", () => {
  aheadMs += HOUR_MS;
  const event = { time: new Date().toISOString(), level: "info", event: "clock set forward", pid: process.pid };
  process.stderr.write(`${JSON.stringify(event)}\n`);
});
