/**
 * Tries the simulator: makes each deliberate bug of `list.ts` in a copy of the tree, and plays seeds until one finds it.
 * `bun sim/mutations/try.ts [seeds] [part of a name]`
 */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Told } from "../part.ts";
import { MUTATIONS, type Mutation } from "./list.ts";

const root = resolve(import.meta.dirname, "../..");
const most = process.argv[2] ?? "20000";
const wanted = process.argv[3] ?? "";

const folder = mkdtempSync(join(tmpdir(), "weir-mutations-"));
let missed = 0;
try {
  for (const part of ["src", "sim", "package.json", "tsconfig.json"])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  // What fails without a mutation tells nothing of one.
  const known = (await played("")).map(({ seed }) => seed);
  console.log(`nothing changed: ${known.length === 0 ? "no seed fails" : `seeds ${known.join(", ")} fail`} of ${most}`);
  for (const mutation of MUTATIONS) {
    if (!mutation.name.includes(wanted)) continue;
    const result = await tried(mutation, known);
    if (result === "not found") missed += 1;
    console.log(`${mutation.name}: ${result}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(missed === 0 ? 0 : 1);

async function tried({ file, find, replace }: Mutation, known: readonly number[]): Promise<string> {
  const path = join(folder, file);
  if (!(await Bun.file(path).exists())) return "does not apply: no such file";
  const text = await Bun.file(path).text();
  if (text.split(find).length !== 2) return "does not apply: its place is not there once";
  await Bun.write(
    path,
    text.replace(find, () => replace),
  );
  try {
    const [first] = await played(known.join(","), true);
    return first === undefined ? "not found" : `seed ${first.seed}, ${first.violations[0]?.split("\n")[0] ?? ""}`;
  } finally {
    await Bun.write(path, text);
  }
}

/** Seeds that fail: all, or the first one. */
async function played(skip: string, stop = false): Promise<Told["failed"]> {
  const main = join(folder, "sim/main.ts");
  const command = [process.execPath, main, "--from=1", `--runs=${most}`, "--step=1", `--skip=${skip}`];
  const child = Bun.spawn(stop ? [...command, "--stop"] : command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error("the process that plays the seeds ended");
  const lines = output.split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => (JSON.parse(line) as Told).failed);
}
