// Backends whose speed is set by timers and which burn no processor time; run by contest-run.ts as:
// bun service.ts SLOTS MILLISECONDS…
// One backend for each time. Prints their ports as a JSON list; when standard input ends it prints how late its
// answers were and ends.
//
// A request that has come in is worked on even if its client has gone meanwhile: a service with a queue of its own, be it
// only that of the kernel, does not look before it begins, and that is what makes overload last.
import type { Socket } from "bun";
import { Alarms } from "./alarms.ts";
import { percentile } from "./percentile.ts";
import { Slots } from "./slots.ts";

const [slots = 1, ...times] = process.argv.slice(2).map(Number);
const endOfHead = "\r\n\r\n";
const alarms = new Alarms();
const lateness: number[] = [];

const ports = times.map((serviceMs, index) => {
  const queue = new Slots(slots, serviceMs);
  const answer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Backend: ${index}\r\n\r\nok`);
  const begin = (socket: Socket<string>): void => {
    const due = queue.take(performance.now());
    alarms.at(due, () => {
      lateness.push(performance.now() - due);
      socket.write(answer);
    });
  };
  const listener = Bun.listen<string>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = "";
      },
      data(socket, bytes) {
        const parts = (socket.data + bytes.toString("latin1")).split(endOfHead);
        socket.data = parts.pop() ?? "";
        for (let requests = parts.length; requests > 0; requests--) begin(socket);
      },
    },
  });
  return listener.port;
});
console.log(JSON.stringify(ports));
process.stdin.resume().on("end", () => {
  console.log(
    JSON.stringify({
      late: percentile(
        lateness.toSorted((a, b) => a - b),
        0.99,
      ),
    }),
  );
  process.exit(0);
});
