import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { closeDescriptor, descriptorChannel, receiveDescriptors, sendDescriptors } from "./pass-descriptors.ts";

test.if(process.platform === "linux")("descriptors go over in their order, more than one message holds", async () => {
  using folder = temporaryFolder();
  const channel = descriptorChannel();
  if (channel === null) throw new Error("no channel");
  const sent = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const path = `${folder.path}/${i}`;
      await Bun.write(path, `file ${i}`);
      return openSync(path, "r");
    }),
  );
  expect(sendDescriptors(channel.own, sent)).toBe(true);
  for (const fd of sent) closeSync(fd); // what is on its way stays open
  const received = receiveDescriptors(channel.other, 300);
  expect(received.map((fd) => readFileSync(fd, "utf8"))).toEqual(sent.map((_, i) => `file ${i}`));
  for (const fd of received) closeSync(fd);
  closeDescriptor(channel.own);
  closeDescriptor(channel.other);
});

test.if(process.platform === "linux")("where nothing was sent nothing is taken, and nobody waits", () => {
  const channel = descriptorChannel();
  if (channel === null) throw new Error("no channel");
  expect(receiveDescriptors(channel.other, 3)).toEqual([]);
  closeDescriptor(channel.other);
  expect(sendDescriptors(channel.own, [0])).toBe(false); // nobody is there any more
  closeDescriptor(channel.own);
});
