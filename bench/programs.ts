import { delimiter, join } from "node:path";

/** The repository's root folder. */
export const root: string = join(import.meta.dir, "..");

/** Finds a program on PATH or in the system folders that a plain user's PATH lacks. */
export function findProgram(name: string): string | undefined {
  const path = [process.env["PATH"] ?? "", "/usr/sbin", "/usr/local/sbin", "/sbin"].join(delimiter);
  return Bun.which(name, { PATH: path }) ?? undefined;
}

/** What a program prints on both outputs, for versions and build options. */
export function outputOf(command: readonly string[]): string {
  const { stdout, stderr } = Bun.spawnSync([...command], { stdout: "pipe", stderr: "pipe", cwd: root });
  return `${stdout.toString()}${stderr.toString()}`;
}

/** The first dotted number in a program's version text, or "unknown". */
export function versionIn(text: string): string {
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? "unknown";
}
