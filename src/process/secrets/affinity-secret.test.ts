import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { WeirError } from "../../errors.ts";
import { persistedSecret, usualStateFolder, withSecrets } from "./affinity-secret.ts";

function codeOf(action: () => unknown): string {
  try {
    action();
    return "none";
  } catch (error) {
    return error instanceof WeirError ? error.code : String(error);
  }
}

describe("the generated secret", () => {
  test("is made once, for this user alone, and stays", () => {
    using folder = temporaryFolder();
    const state = `${folder.path}/deep/weir`;
    const secret = persistedSecret(state);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    expect(persistedSecret(state)).toBe(secret);
    expect(readdirSync(state)).toEqual(["affinity-secret"]);
    expect(readFileSync(`${state}/affinity-secret`, "utf8")).toBe(`${secret}\n`);
    expect(statSync(`${state}/affinity-secret`).mode & 0o777).toBe(0o600);
    expect(statSync(state).mode & 0o777).toBe(0o700);
    using other = temporaryFolder();
    expect(persistedSecret(other.path)).not.toBe(secret);
  });

  test("is one for all Weirs that start at a time", async () => {
    using folder = temporaryFolder();
    const module = new URL("./affinity-secret.ts", import.meta.url).href;
    const program = `console.log((await import(${JSON.stringify(module)})).persistedSecret(${JSON.stringify(`${folder.path}/weir`)}))`;
    const start = (): Bun.Subprocess<"ignore", "pipe"> =>
      Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stdin: "ignore" });
    const told = await Promise.all(Array.from({ length: 6 }, () => start().stdout.text()));
    expect(new Set(told).size).toBe(1);
    expect(told[0]!.trim()).toHaveLength(43);
    expect(readdirSync(`${folder.path}/weir`)).toEqual(["affinity-secret"]);
  });

  test("is refused where others may read it, where it is too short and where it is no file", () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/affinity-secret`;
    persistedSecret(folder.path);
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(path, mode);
      expect(codeOf(() => persistedSecret(folder.path))).toBe("SECRET_UNSAFE");
    }
    chmodSync(path, 0o600);
    for (const text of ["", "fifteen bytes..\n", "x".repeat(5000)]) {
      writeFileSync(path, text);
      expect(codeOf(() => persistedSecret(folder.path))).toBe("SECRET_UNSAFE");
    }
    writeFileSync(path, "  sixteen bytes...\n");
    expect(persistedSecret(folder.path)).toBe("sixteen bytes...");
    using second = temporaryFolder();
    mkdirSync(`${second.path}/affinity-secret`, 0o700);
    expect(codeOf(() => persistedSecret(second.path))).toBe("SECRET_UNSAFE");
  });

  test("of a folder that cannot be made is an error that names it", () => {
    using folder = temporaryFolder();
    writeFileSync(`${folder.path}/file`, "");
    const make = (): unknown => persistedSecret(`${folder.path}/file/weir`);
    expect(codeOf(make)).toBe("STATE_UNUSABLE");
    expect(make).toThrow(`${folder.path}/file/weir/affinity-secret`);
  });
});

test("the folder is that of the XDG specification", () => {
  expect(usualStateFolder({ XDG_STATE_HOME: "/state", HOME: "/home/a" })).toBe("/state/weir");
  expect(usualStateFolder({ HOME: "/home/a" })).toBe("/home/a/.local/state/weir");
  for (const XDG_STATE_HOME of ["", "relative"])
    expect(usualStateFolder({ XDG_STATE_HOME, HOME: "/home/a" })).toBe("/home/a/.local/state/weir");
});

describe("withSecrets", () => {
  test("fills in what is not set, and leaves what is", () => {
    using folder = temporaryFolder();
    const plan = planOf({ backends: [1], affinity: { secret: null }, routes: [{ backend: 0 }] });
    const [first, second] = withSecrets(plan, { XDG_STATE_HOME: folder.path }).pools;
    expect(first?.affinity?.secret).toBe(persistedSecret(`${folder.path}/weir`));
    expect(second?.affinity?.secret).toBe(first?.affinity?.secret as string);
    using other = temporaryFolder();
    const elsewhere = withSecrets({ ...plan, stateFolder: other.path }, { XDG_STATE_HOME: folder.path });
    expect(elsewhere.pools[0]?.affinity?.secret).toBe(persistedSecret(other.path));
  });

  test("touches no file where no pool needs it", () => {
    using folder = temporaryFolder();
    const stateFolder = `${folder.path}/weir`;
    for (const affinity of [undefined, { secret: "set by the configuration" }]) {
      const plan = { ...planOf({ backends: [1], ...(affinity === undefined ? {} : { affinity }) }), stateFolder };
      expect(withSecrets(plan)).toBe(plan);
    }
    expect(existsSync(stateFolder)).toBe(false);
  });
});
