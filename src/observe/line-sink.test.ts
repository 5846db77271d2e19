import { describe, expect, jest, test } from "bun:test";
import { closeSync, openSync, readFileSync, renameSync } from "node:fs";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import type { WriteLine } from "./access-template.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import { FileTarget, StdoutTarget } from "./file-target.ts";
import { LineSink, type LineTarget, linesIn, type Loss } from "./line-sink.ts";
import type { LogFields } from "./log.ts";

const RECORD = new ExchangeRecord({ finished() {} }, "tcp", "db", "127.0.0.1", 0, 0);

function saying(text: string): WriteLine {
  return (out) => out.ascii(text);
}

/** A target that takes lines when the test lets it. */
class SlowTarget implements LineTarget {
  readonly name = "slow";
  readonly taken: string[] = [];
  released = 0;
  fails: string | null = null;
  #gate: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  async write(bytes: Buffer, end: number): Promise<Loss | null> {
    await this.#gate.promise;
    if (this.fails !== null) return { lines: linesIn(bytes, 0, end), why: this.fails };
    this.taken.push(bytes.toString("latin1", 0, end));
    return null;
  }

  open(): void {
    this.#gate.resolve();
  }

  reopen(): void {}

  release(): void {
    this.released += 1;
  }
}

function logOf(): { readonly warnings: (readonly [string, LogFields])[]; readonly log: LineSinkLog } {
  const warnings: (readonly [string, LogFields])[] = [];
  const warn = (event: string, fields: LogFields = {}): void => void warnings.push([event, fields]);
  return { warnings, log: { info() {}, warn, error: warn } };
}

type LineSinkLog = ConstructorParameters<typeof LineSink>[1];

describe("a sink", () => {
  test("writes in order what was added while it wrote", async () => {
    const target = new SlowTarget();
    const sink = new LineSink(target, logOf().log);
    const big = "x".repeat(70_000);
    sink.add(RECORD, saying(big));
    sink.add(RECORD, saying("two"));
    sink.add(RECORD, saying("three"));
    target.open();
    await sink.flush(5000);
    expect(target.taken).toEqual([`${big}\n`, "two\nthree\n"]);
  });

  test("drops lines beyond its bound while nobody reads, counts them and tells how many", async () => {
    const { warnings, log } = logOf();
    const target = new SlowTarget();
    const sink = new LineSink(target, log);
    const line = "x".repeat(50_000);
    for (let i = 0; i < 100; i++) sink.add(RECORD, saying(line));
    const { lost } = sink;
    expect(lost).toBeGreaterThan(10);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toEqual([
      "access log lines lost",
      { code: "ACCESS_LOG_LOST", to: "slow", lines: 1, reason: "what waits to be written has reached its bound" },
    ]);
    target.open();
    await sink.flush(5000);
    const written = target.taken.join("").split("\n").length - 1;
    expect(written + lost).toBe(100);
    // Each is told of once, in some warning.
    expect(warnings.reduce((sum, [, { lines }]) => sum + Number(lines), 0)).toBe(lost);
  });

  test("counts what its target lost", async () => {
    const { warnings, log } = logOf();
    const target = new SlowTarget();
    target.fails = "ENOSPC";
    target.open();
    const sink = new LineSink(target, log);
    for (let i = 0; i < 3; i++) sink.add(RECORD, saying("x"));
    await sink.flush(5000);
    expect([sink.lost, warnings[0]?.[1]]).toEqual([
      3,
      { code: "ACCESS_LOG_LOST", to: "slow", lines: 3, reason: "ENOSPC" },
    ]);
  });

  test("tells of what was lost last although nothing comes any more", () => {
    const { warnings, log } = logOf();
    let counted = 0;
    const lines = (): number => warnings.reduce((sum, [, fields]) => sum + Number(fields["lines"]), 0);
    jest.useFakeTimers();
    try {
      const sink = new LineSink(new SlowTarget(), log, (lost) => (counted += lost));
      for (let i = 0; i < 100; i++) sink.add(RECORD, saying("x".repeat(50_000)));
      expect(lines()).toBe(1);
      jest.advanceTimersByTime(10_001);
      expect([lines(), counted]).toEqual([sink.lost, sink.lost]);
    } finally {
      jest.useRealTimers();
    }
  });

  test("that no plan names any more writes what comes yet, then gives its file up", async () => {
    const target = new SlowTarget();
    target.open();
    const sink = new LineSink(target, logOf().log);
    sink.add(RECORD, saying("last"));
    sink.retire();
    expect(target.released).toBe(0);
    await sink.flush(5000);
    expect([target.taken, target.released]).toEqual([["last\n"], 1]);
  });
});

describe("a file", () => {
  test("is gone on with after it was moved: no line is lost, all stand in one or the other", async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/access.log`;
    const sink = new LineSink(new FileTarget(path), logOf().log);
    sink.add(RECORD, saying("one"));
    await sink.flush(5000);
    renameSync(path, `${path}.1`);
    sink.add(RECORD, saying("two"));
    await sink.flush(5000);
    sink.add(RECORD, saying("three"));
    sink.reopen();
    await sink.flush(5000);
    expect([readFileSync(`${path}.1`, "latin1"), readFileSync(path, "latin1")]).toEqual(["one\ntwo\n", "three\n"]);
  });

  test("that cannot be opened anew goes on as it was", async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/sub.log`;
    const target = new FileTarget(path);
    renameSync(path, `${path}.1`);
    await Bun.write(`${path}/in-the-way`, "");
    target.reopen();
    expect(await target.write(Buffer.from("one\n"), 4)).toBeNull();
    expect(readFileSync(`${path}.1`, "latin1")).toBe("one\n");
  });

  test("of several writers holds whole lines only", async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/access.log`;
    const sinks = Array.from({ length: 4 }, () => new LineSink(new FileTarget(path), logOf().log));
    for (let i = 0; i < 2000; i++)
      sinks.forEach((sink, writer) => sink.add(RECORD, saying(`${writer}:${String(i).repeat(20)}`)));
    await Promise.all(sinks.map((sink) => sink.flush(10_000)));
    const lines = readFileSync(path, "latin1").trimEnd().split("\n");
    expect(lines).toHaveLength(8000);
    expect(lines.every((line) => /^[0-3]:(\d+?)\1{19}$/.test(line))).toBe(true);
  });

  test("that cannot be opened is said to be so at once", () => {
    using folder = temporaryFolder();
    expect(() => new FileTarget(`${folder.path}/none/access.log`)).toThrow("ACCESS_LOG_UNUSABLE");
    expect(() => new FileTarget(folder.path)).toThrow("EISDIR");
  });

  test.if(process.platform === "linux")("on a disk that is full loses lines and says why", async () => {
    const { warnings, log } = logOf();
    const sink = new LineSink(new FileTarget("/dev/full"), log);
    sink.add(RECORD, saying("one"));
    sink.add(RECORD, saying("two"));
    await sink.flush(5000);
    expect([sink.lost, warnings[0]?.[1]["reason"]]).toEqual([2, "ENOSPC"]);
  });
});

test("the standard output gets pieces of whole lines that a pipe takes in one", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/fifo`;
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  const reader = Bun.spawn(["cat", path], { stdout: "pipe" });
  const fd = openSync(path, "w");
  const target = new StdoutTarget(fd);
  const lines = Array.from({ length: 3000 }, (_, i) => `${i}`.padStart(50, "x")).join("\n");
  const bytes = Buffer.from(`${lines}\n${"y".repeat(9000)}\n`);
  expect(await target.write(bytes, bytes.length)).toBeNull();
  closeSync(fd);
  expect(await new Response(reader.stdout).text()).toBe(bytes.toString());
});
