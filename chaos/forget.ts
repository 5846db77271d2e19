/** Loaded into Weir's processes: at SIGIO the name `localhost` no longer resolves, at the next SIGIO it does again. */
let forgotten = false;

const connect = Bun.connect;
// A name that is reserved for never resolving (RFC 6761 §6.4) fails as any other.
function resolving(options: { hostname?: string }): unknown {
  if (!forgotten || options.hostname !== "localhost") return options;
  tell("name asked for in vain");
  return { ...options, hostname: "gone.invalid" };
}
Bun.connect = (options: object) => connect(resolving(options) as Parameters<typeof connect>[0]);

function tell(event: string): void {
  process.stderr.write(`${JSON.stringify({ event, pid: process.pid })}\n`);
}

process.on("SIGIO", () => {
  forgotten = !forgotten;
  tell(forgotten ? "name forgotten" : "name known");
});
