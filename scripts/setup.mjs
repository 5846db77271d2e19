// Makes a clean clone ready: run by npm before `npm start`, `npm test` and `npm run bench`. Plain Node, because it runs
// before anything is installed. Says one line when it has something to do and nothing otherwise.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, linkSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const runtime = join(modules, "bun", "bin", "bun.exe");

/** Packages of a lock file by their place. npm writes the second one last, so an interrupted install has none. */
function packages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  } catch {
    return {};
  }
}

/** The first package that is missing or has another version than package-lock.json says. */
function outdated() {
  const wanted = packages(join(root, "package-lock.json"));
  const installed = packages(join(modules, ".package-lock.json"));
  // `npm ci --omit=dev` is enough to run Weir, not to test it.
  const needsDev = process.env.npm_lifecycle_event !== "prestart";
  return Object.entries(wanted).find(
    ([place, { version, optional, dev }]) =>
      place !== "" && !optional && (needsDev || !dev) && installed[place]?.version !== version,
  )?.[0];
}

function runs(binary) {
  return existsSync(binary) && spawnSync(binary, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Puts the runtime in its place where install scripts are switched off: the package's script would do just this. */
function placeRuntime() {
  const scope = join(modules, "@oven");
  if (runs(runtime) || !existsSync(scope)) return;
  for (const name of readdirSync(scope)) {
    const binary = join(scope, name, "bin", "bun");
    if (!runs(binary)) continue;
    rmSync(runtime, { force: true });
    try {
      linkSync(binary, runtime);
    } catch {
      copyFileSync(binary, runtime); // another file system, or one without hard links
    }
    chmodSync(runtime, 0o755);
    return;
  }
}

/** Runs `npm ci`. A signal to this process ends npm too, and nothing is left behind. */
function install() {
  const npm = process.env.npm_execpath ?? "";
  const [command, ...first] = basename(npm) === "npm-cli.js" ? [process.execPath, npm] : ["npm"];
  // Error level: what goes wrong is still seen, and npm's own summary is not needed.
  const child = spawn(command, [...first, "ci", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      child.kill(signal);
    });
  }
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(`npm cannot be started: ${error.message}`));
    child.on("exit", (code, signal) => resolve(code === 0 ? "" : `npm ci ended with ${signal ?? `status ${code}`}`));
  });
}

function fail(why) {
  console.error(`setup: ${why}.\nMend that and run the command again; \`npm ci\` in ${root} does the same step alone.`);
  process.exit(1);
}

placeRuntime();
const missing = outdated();
if (missing !== undefined || !runs(runtime)) {
  const what = existsSync(modules)
    ? `what is missing (${missing?.replace(/^.*node_modules\//, "") ?? "the runtime"})`
    : "the dependencies";
  console.error(`setup: installing ${what} with npm ci …`);
  const problem = await install();
  if (process.exitCode !== undefined) process.exit(); // stopped by a signal
  if (problem !== "") fail(problem);
  placeRuntime();
  if (!runs(runtime)) fail(`the runtime ${runtime} does not run on this system (${process.platform} ${process.arch})`);
}
