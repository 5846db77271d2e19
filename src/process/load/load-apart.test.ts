import { expect, test } from "bun:test";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { loadApart } from "./load-apart.ts";

const PLAIN = `export default { listeners: { a: { address: ":1", pool: "p" } }, pools: { p: { backends: [":2"] } } };\n`;

/**
 * Of the two processes that load a file, the first gives way to all others, which may be for ever where processors are full: that it was begun
 * first does not mean that it comes to the file first. So the file asks which of them it is in: `true` is the first.
 */
const GIVES_WAY = `(await import("node:os")).getPriority() === 19 ||
    (existsSync("/proc/self/stat") && readFileSync("/proc/self/stat", "latin1").split(") ")[1].split(" ")[38] === "5")`;

async function loaded(
  text: string,
  deadlineMs?: number,
  patienceMs?: number,
): Promise<Awaited<ReturnType<typeof loadApart>>> {
  using folder = temporaryFolder();
  await Bun.write(`${folder.path}/c.ts`, text);
  return await loadApart(
    { file: "c.ts", folder: folder.path, over: { workers: 3 }, edits: [] },
    undefined,
    deadlineMs,
    patienceMs,
  );
}

test("the plan comes over with what stands over the file, and with what was written", async () => {
  const config = await loaded(PLAIN);
  expect("plan" in config && config.plan).toMatchObject({ workers: 3, pools: [{ name: "p" }] });
  expect(config).toMatchObject({ file: "c.ts", raw: { listeners: { a: { pool: "p" } } } });
  expect(config.files.map((file) => file.split("/").at(-1))).toEqual(["c.ts"]);
});

test("a regular expression stays one", async () => {
  const config = await loaded(PLAIN.replace('[":2"]', '[":2"], health: { probe: { body: /^ok$/i } }'));
  expect("plan" in config && config.plan.pools[0]?.health.probe).toMatchObject({
    body: { kind: "pattern", source: "^ok$", flags: "i" },
  });
  // So that edits can be made over it.
  expect(config.raw).toMatchObject({ pools: { p: { health: { probe: { body: /^ok$/i } } } } });
});

test("one that never ends is ended", async () => {
  const config = await loaded("for (;;) {}\n", 700);
  expect(config).toMatchObject({ problems: [{ code: "CONFIG_FILE_THREW", file: "c.ts" }] });
  expect("problems" in config && config.problems[0]?.message).toStartWith("it was not done within");
});

test("where one gets no time, another one begins, and what answers first counts", async () => {
  const stuckAtFirst = `import { existsSync, readFileSync } from "node:fs";
    if (${GIVES_WAY}) for (;;) {}
    ${PLAIN}`;
  const config = await loaded(stuckAtFirst, 30_000, 300);
  expect("plan" in config && config.plan).toMatchObject({ pools: [{ name: "p" }] });
});

test("where the first one dies when another one has begun, that one is waited for", async () => {
  const mortalAtFirst = `import { existsSync, readFileSync, writeFileSync } from "node:fs";
    if (${GIVES_WAY}) {
      while (!existsSync("other")) Bun.sleepSync(10);
      process.exit(9);
    }
    writeFileSync("other", "");
    Bun.sleepSync(1000);
    ${PLAIN}`;
  const config = await loaded(mortalAtFirst, 30_000, 1_000);
  expect("plan" in config && config.plan).toMatchObject({ pools: [{ name: "p" }] });
});

test("where no process can be started, or asked, that is a problem like any other", async () => {
  using folder = temporaryFolder();
  const question = { file: "c.ts", folder: `${folder.path}/gone`, over: {}, edits: [] };
  const problem = { code: "CONFIG_FILE_UNREADABLE", file: "c.ts", message: expect.stringContaining("ENOENT") };
  expect(await loadApart(question)).toMatchObject({ problems: [problem] });
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = question.folder;
  try {
    expect(await loadApart({ ...question, folder: folder.path })).toMatchObject({ problems: [problem] });
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
});

test("a file that says in its place that it is answered has answered nothing", async () => {
  const config = await loaded(`process.send("answered"); await Bun.sleep(200);\n${PLAIN}`);
  expect(config).toMatchObject({ problems: [{ code: "CONFIG_FILE_THREW", file: "c.ts" }] });
});

test("what is wrong comes over with its place", async () => {
  const config = await loaded(PLAIN.replace('pool: "p"', 'pol: "p"'));
  expect(config).toMatchObject({ problems: [{ code: "CONFIG_UNKNOWN_KEY", file: "c.ts", line: 1 }] });
});

test("a function where data should be is a problem like any other", async () => {
  const config = await loaded(PLAIN.replace('":1"', "() => 1"));
  expect(config).toMatchObject({ problems: [{ file: "c.ts" }] });
});
