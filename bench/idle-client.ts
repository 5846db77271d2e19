// Opens connections, sends one request on each, and keeps them; run by scenarios/idle.ts as:
// bun idle-client.ts PORT COUNT
// Prints "open" once all have their response; when standard input ends it prints how many are still open and ends.
import type { Socket } from "bun";

const [port = 0, count = 1] = process.argv.slice(2).map(Number);
const atOnce = 50;
const request = Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);

/** Called when the connection's response has come or never will. */
type Settle = () => void;

const alive = new Set<Socket<Settle>>();

process.stdin.resume().on("end", () => {
  console.log(String(alive.size));
  process.exit(0);
});
for (let opened = 0; opened < count; opened += atOnce) {
  await Promise.all(Array.from({ length: Math.min(atOnce, count - opened) }, openOne));
}
console.log("open");

async function openOne(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const lose = (socket: Socket<Settle>): void => {
    alive.delete(socket);
    resolve();
  };
  const socket = await Bun.connect<Settle>({
    hostname: "127.0.0.1",
    port,
    data: resolve,
    socket: { data: (from) => from.data(), close: lose, error: lose },
  });
  alive.add(socket);
  socket.write(request);
  await promise;
}
