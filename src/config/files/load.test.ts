import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findConfigFile, load } from "./load.ts";
import { formatProblem } from "./problems.ts";
import { FORMATS, written } from "./written.ts";

const GOOD = {
  listeners: { web: { address: ":8080", routes: [{ host: "a.com", path: "/v1/*", pool: "app" }, { pool: "app" }] } },
  pools: { app: { policy: "random", backends: [":8001", { address: "[::1]:8002", weight: 2 }] } },
  timeouts: { connect: "1s" },
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-load-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function problemsOf(file: string, text?: string): Promise<string[]> {
  if (text !== undefined) await Bun.write(join(folder, file), text);
  const loaded = await load(file, folder, { resolve: false });
  return "problems" in loaded ? loaded.problems.map((problem) => formatProblem(problem)) : [];
}

describe("files", () => {
  test("all formats give the same plan, and an object does too", async () => {
    const made = await load(GOOD);
    const plan = "plan" in made ? made.plan : expect.unreachable();
    for (const format of FORMATS) {
      await Bun.write(join(folder, `good.${format}`), `${format === "yaml" ? "\ufeff" : ""}${written(GOOD, format)}`);
      const loaded = await load(`good.${format}`, folder);
      expect(loaded.file).toBe(`good.${format}`);
      // In one process for all tests, what other modules imported counts too.
      expect(loaded.files).toContain(join(folder, `good.${format}`));
      expect(loaded.raw).toEqual(GOOD);
      expect("plan" in loaded && loaded.plan).toEqual(plan);
    }
  });

  test("the default file is the first of its kind in the folder", async () => {
    const inner = join(folder, "defaults");
    await mkdir(join(inner, "weir.config.js"), { recursive: true });
    expect(await findConfigFile(inner)).toBeNull();
    for (const ending of ["toml", "json", "yml", "yaml", "ts"]) {
      await Bun.write(join(inner, `weir.config.${ending}`), "");
      expect(await findConfigFile(inner)).toBe(`weir.config.${ending}`);
    }
    const loaded = await load(null, inner);
    expect(loaded.file).toBe("weir.config.ts");
  });

  test("without a file, all names that were looked for are told", async () => {
    const inner = join(folder, "empty");
    await mkdir(inner);
    const loaded = await load(null, inner);
    const text = "problems" in loaded ? loaded.problems.map((problem) => formatProblem(problem)).join() : "";
    expect(text).toStartWith(
      "CONFIG_FILE_MISSING  there is no configuration in this folder; looked for weir.config.ts, ",
    );
    expect(text).toContain("weir.config.toml →");
  });

  test("a file that is not there, a folder, and an unknown ending", async () => {
    expect(await problemsOf("none.yaml")).toEqual([
      "none.yaml  CONFIG_FILE_MISSING  there is no such file → Correct the path.",
    ]);
    expect(await problemsOf("good.yaml/none.yaml")).toEqual([
      "good.yaml/none.yaml  CONFIG_FILE_MISSING  there is no such file → Correct the path.",
    ]);
    await mkdir(join(folder, "folder.yaml"));
    expect(await problemsOf("folder.yaml")).toEqual([
      "folder.yaml  CONFIG_FILE_UNREADABLE  it is a folder, not a file → Name the file in it.",
    ]);
    expect(await problemsOf("a.conf", "")).toEqual([
      'a.conf  CONFIG_FILE_FORMAT  ".conf" is no format that Weir reads → Use .ts, .js, .yaml, .yml, .json or .toml.',
    ]);
    expect(await problemsOf("noending", "")).toEqual([
      "noending  CONFIG_FILE_FORMAT  the file has no ending that tells its format → Use .ts, .js, .yaml, .yml, .json or .toml.",
    ]);
  });

  // The superuser may read every file.
  test.skipIf(process.getuid?.() === 0)("a file that this user may not read", async () => {
    await Bun.write(join(folder, "secret.yaml"), "");
    await chmod(join(folder, "secret.yaml"), 0);
    expect(await problemsOf("secret.yaml")).toEqual([
      "secret.yaml  CONFIG_FILE_UNREADABLE  this user may not read it → Correct its permissions.",
    ]);
  });

  test("a file that is broken in its format names the place", async () => {
    expect(await problemsOf("broken.json", '{\n  "listeners": {,}\n}')).toEqual([
      'broken.json:2:17  CONFIG_SYNTAX  a key in double quotes, such as "listeners", should stand here → Mend the place named.',
    ]);
    expect(await problemsOf("broken.yaml", "a: 1\na: 2\nb: 'x\n")).toHaveLength(2);
    expect(await problemsOf("broken.toml", "a = 1\nb = \n")).toEqual([
      "broken.toml:3:1  CONFIG_SYNTAX  unspecified values are invalid → Mend the place named.",
    ]);
    expect((await problemsOf("broken.ts", "export default {\n  a: 1,,\n};\n"))[0]).toBe(
      'broken.ts:2:8  CONFIG_SYNTAX  Expected identifier but found "," → Mend the place named.',
    );
    expect(await problemsOf("many.yaml", "a: 1\n".repeat(100))).toHaveLength(20);
  });

  test.each(["yaml", "json", "toml"])("an empty %s file is no configuration", async (ending) => {
    const text = ending === "json" ? "null" : "";
    const problems = await problemsOf(`empty.${ending}`, text);
    expect(problems[0]).toContain(
      ending === "toml"
        ? "listeners  CONFIG_MISSING_KEY"
        : "a configuration is a section with listeners and pools, not nothing",
    );
  });

  test("the place of a missing key in an empty file is its start", async () => {
    expect((await problemsOf("empty.toml", ""))[0]).toStartWith("empty.toml:1:1 listeners  CONFIG_MISSING_KEY");
  });
});

describe("TypeScript and JavaScript", () => {
  test("defineConfig comes from this Weir, wherever the file stands, and places go through it", async () => {
    const text = `import { defineConfig, type Config } from "weir";
const pools: Config["pools"] = { app: { backends: [":1", ":1"] } };
export default defineConfig({ listeners: { web: { address: ":80", pool: "app" } }, pools });
`;
    expect(await problemsOf("typed.ts", text)).toEqual([
      "typed.ts:2:58 pools.app.backends[1]  CONFIG_DUPLICATE_BACKEND  127.0.0.1:1 already stands in the pool, as backends[0] → Remove one; use `weight` to send it more.",
    ]);
  });

  test("a changed file is run anew", async () => {
    expect(await problemsOf("again.mjs", `export default ${JSON.stringify(GOOD)}`)).toEqual([]);
    expect(await problemsOf("again.mjs", "export default { listeners: {}, pools: {} }")).toHaveLength(1);
  });

  test("CommonJS is read too", async () => {
    expect(await problemsOf("common.cjs", `module.exports = ${JSON.stringify(GOOD)}`)).toEqual([]);
  });

  test.each([
    [
      "throws.ts",
      "const x: number = 1;\nfunction f(): never {\n  throw new RangeError(`bad ${x}`);\n}\nexport default f();",
      ":3:13  CONFIG_FILE_THREW  RangeError: bad 1 → Mend the exception.",
    ],
    [
      "reference.js",
      "\nexport default { a: nope };",
      ":2:21  CONFIG_FILE_THREW  ReferenceError: nope is not defined → Mend the exception.",
    ],
    ["text.js", 'throw "no";', '  CONFIG_FILE_THREW  it threw "no" → Mend the exception.'],
    [
      "nothing.ts",
      "export const config = {};",
      "  CONFIG_FILE_THREW  the file exports nothing as default → Mend the exception; export the configuration with `export default defineConfig({…})`.",
    ],
    [
      "function.ts",
      "export default () => ({});",
      "  CONFIG_FILE_THREW  the file exports a function, not a configuration → Export the object itself; await what it needs.",
    ],
    [
      "promise.ts",
      "export default Promise.resolve({});",
      "  CONFIG_FILE_THREW  the file exports a promise, not a configuration → Export the object itself; await what it needs.",
    ],
  ])("%s tells what went wrong, and where", async (file, text, expected) => {
    expect(await problemsOf(file, text)).toEqual([file + expected]);
  });

  test("an import that is not there has the place of the import", async () => {
    const [problem] = await problemsOf("import.ts", '\nimport a from "./not-there.ts";\nexport default a;');
    expect(problem).toStartWith("import.ts:2:15  CONFIG_FILE_THREW  Cannot find module './not-there.ts'");
    expect(problem).toEndWith("→ Correct the import, or install what it names.");
    expect(problem).not.toContain("?load=");
  });

  test("a fault in an imported file names that file", async () => {
    await Bun.write(join(folder, "inner.ts"), "export const a = ;\n");
    const [problem] = await problemsOf("outer.ts", 'import { a } from "./inner.ts";\nexport default a;');
    expect(problem).toMatch(/^outer\.ts {2}CONFIG_SYNTAX {2}in .*inner\.ts:1:18: /);
  });
});
