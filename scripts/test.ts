/**
 * All checks, in the order in which they tell most soonest: format, lint, types, layering, dead code, unit, scenario,
 * conformance, docs equal code. `npm test -- unit` runs the named ones alone. Ends with `N passed, N failed`.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const bun = process.execPath;
const bin = (name: string): string => resolve(root, "node_modules/.bin", name);

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** Counted by its own tests rather than as one. */
  readonly tests?: boolean;
}

// Slow machines take their time; Bun does not read this from its configuration.
const TIMEOUT = "--timeout=30000";

const CHECKS: readonly Check[] = [
  { name: "format", command: [bun, "fmt", "--check"] },
  {
    name: "lint",
    command: [bin("oxlint"), "--type-aware", "--quiet", "src", "dashboard", "sim", "chaos", "test", "bench", "scripts"],
  },
  { name: "types", command: [bun, "check", "--no-script"] },
  // Of a browser, not of the runtime.
  { name: "page types", command: [bun, "check", "--no-script", "-p", "dashboard"] },
  {
    name: "layering",
    command: ["node", bin("depcruise"), "--config", ".dependency-cruiser.mjs", "src", "sim", "chaos"],
  },
  { name: "dead code", command: ["node", bin("knip"), "--no-progress"] },
  { name: "unit", command: [bun, "test", TIMEOUT, "./src", "./sim", "./chaos", "./bench"], tests: true },
  { name: "scenario", command: [bun, "test", TIMEOUT, "./test/scenario"], tests: true },
  { name: "conformance", command: [bun, "test", TIMEOUT, "./test/conformance"], tests: true },
  { name: "docs", command: [bun, "scripts/generate.ts", "--check"] },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`no check ${unknown.join(", ")}; there are: ${CHECKS.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}

let passed = 0;
let failed = 0;
let skipped = 0;

for (const { name, command, tests } of CHECKS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = performance.now();
  console.log(`── ${name}`);
  const { exitCode, output } = await run(command);
  const count = (what: string): number => Number(new RegExp(`^ *(\\d+) ${what}$`, "m").exec(output)?.[1] ?? 0);
  if (tests === true) {
    passed += count("pass");
    skipped += count("skip");
    // A runner that fails without a failed test has failed itself.
    failed += exitCode === 0 ? 0 : Math.max(1, count("fail"));
  } else if (exitCode === 0) passed += 1;
  else failed += 1;
  console.log(`   ${exitCode === 0 ? "passed" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);

/** Runs a command; shows all of its output when it fails, the summary and what was skipped when it does not. */
async function run([program = "", ...args]: readonly string[]): Promise<{ exitCode: number; output: string }> {
  if (program.startsWith("/") && !existsSync(program)) return { exitCode: 1, output: "" };
  const child = Bun.spawn([program, ...args], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const output = `${stdout}\n${stderr}`;
  if (exitCode === 0) {
    const telling = output.split("\n").filter((line) => /^\(skip\)|^ *\d+ (pass|fail|skip)$|^skipped: /.test(line));
    if (telling.length > 0) console.log(telling.join("\n"));
  } else console.log(output.trim());
  return { exitCode, output };
}
