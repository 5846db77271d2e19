import { expect, test } from "bun:test";
import { until } from "../../test/fixtures/cluster.ts";
import { connectRaw } from "../../test/fixtures/raw.ts";
import { parseAddress } from "../address.ts";
import type { Receiver } from "./connection.ts";
import { libc } from "./libc.ts";
import { listen } from "./listen.ts";

const QUIET: Receiver = { opened() {}, refused() {}, received() {}, drained() {}, ended() {}, closed() {} };

test.if(libc() !== null)(
  "a paused listener lets clients wait, even the rest of a burst, and takes them when it goes on",
  async () => {
    let accepted = 0;
    let gone = 0;
    const listening = listen({
      address: parseAddress("127.0.0.1:0"),
      accept(connection) {
        accepted += 1;
        if (accepted === 3 || accepted === 5) expect(listening.pause?.()).toBe(true);
        connection.write(Buffer.from("taken"));
        return QUIET;
      },
      closed: () => void (gone += 1),
    });
    const clients = await Promise.all(Array.from({ length: 8 }, () => connectRaw(listening.port)));
    const taken = (): number => clients.filter(({ text }) => text === "taken").length;
    await until(() => taken() === 3);
    listening.resume?.();
    await until(() => taken() === 5);
    expect(accepted).toBe(5);
    listening.resume?.();
    await until(() => taken() === 8);
    expect(gone).toBe(0);
    for (const client of clients) client.reset();
    await until(() => gone === 8);
    listening.stop();
  },
);

test.if(libc() !== null)("one that is stopped while it is paused resets those who wait", async () => {
  const listening = listen({
    address: parseAddress("127.0.0.1:0"),
    accept() {
      listening.pause?.();
      return QUIET;
    },
  });
  const first = await connectRaw(listening.port);
  const second = await connectRaw(listening.port);
  listening.stop();
  await second.untilEnd();
  const refused = await connectRaw(listening.port).then(
    () => false,
    () => true,
  );
  expect(refused).toBe(true);
  first.reset();
});
