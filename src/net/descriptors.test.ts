import { expect, test } from "bun:test";
import { descriptorLimit, raiseDescriptorLimit } from "./descriptors.ts";
import { libc } from "./libc.ts";

const limit = libc()?.openFiles() ?? null;

test.if(limit !== null)("the limit is the soft one, and is raised to the hard one", () => {
  if (limit === null) return;
  const { hard } = limit;
  try {
    libc()?.setOpenFiles({ soft: hard - 1n, hard });
    expect(descriptorLimit()).toBe(Number(hard - 1n));
    expect(raiseDescriptorLimit()).toBe(Number(hard));
    expect(descriptorLimit()).toBe(Number(hard));
  } finally {
    libc()?.setOpenFiles(limit);
  }
});

test.if(process.platform === "linux")("without FFI the system tells the same in a file", () => {
  const known = descriptorLimit();
  process.env["WEIR_FFI"] = "off";
  try {
    expect(descriptorLimit()).toBe(known);
    expect(raiseDescriptorLimit()).toBe(known);
  } finally {
    delete process.env["WEIR_FFI"];
  }
});
