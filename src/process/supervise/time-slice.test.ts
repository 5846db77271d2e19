import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";

/** Told by kernels from 6.12 on that are built with it. */
const TOLD = "/proc/self/sched";
const isTold = existsSync(TOLD) && /^se\.slice/m.test(readFileSync(TOLD, "utf8"));

const PROGRAM = `
  import { giveWay, startedAsUsual } from "${import.meta.dir}/time-slice.ts";
  const child = () => Bun.spawn(["cat", "${TOLD}"], { stdout: "pipe" });
  const slice = async (told) => Number(/^se\\.slice\\s*:\\s*(\\d+)/m.exec(await told)?.[1]);
  const own = () => slice(Bun.file("${TOLD}").text());
  const before = await own();
  giveWay();
  let thrown = null;
  try {
    startedAsUsual(() => { throw new Error("not started"); });
  } catch (error) {
    thrown = error.message;
  }
  const usual = await slice(startedAsUsual(child).stdout.text());
  console.log(JSON.stringify({ before, own: await own(), usual, others: await slice(child().stdout.text()), thrown }));
`;

test.skipIf(!isTold)(
  "a process that gives way runs at long stretches, and what it starts for clients at the usual ones",
  async () => {
    const { stdout } = Bun.spawn([process.execPath, "-e", PROGRAM], { stdout: "pipe" });
    const { before, own, usual, others, thrown } = await stdout.json();
    expect(own).toBe(100_000_000);
    expect(before).toBeLessThan(own);
    expect({ usual, others, thrown }).toEqual({ usual: before, others: own, thrown: "not started" });
  },
);

test.skipIf(!isTold || process.getuid?.() !== 0)(
  "the priority that an operator gave it stays, its own and that of what it starts",
  async () => {
    const program = `
    import { getPriority } from "node:os";
    import { giveWay, startedAsUsual } from "${import.meta.dir}/time-slice.ts";
    giveWay();
    const of = (told) => Number(/^se\\.slice\\s*:\\s*(\\d+)/m.exec(told)?.[1]);
    const nice = startedAsUsual(() => Bun.spawn(["nice"], { stdout: "pipe" }));
    console.log(JSON.stringify([getPriority(), Number(await nice.stdout.text()), of(await Bun.file("${TOLD}").text())]));
  `;
    for (const priority of [5, -5]) {
      const { stdout } = Bun.spawn(["nice", "-n", String(priority), process.execPath, "-e", program], {
        stdout: "pipe",
      });
      expect(await stdout.json()).toEqual([priority, priority, 100_000_000]);
    }
  },
);
