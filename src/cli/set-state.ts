import { backendSchema } from "../admin/model.ts";
import { appliedSchema } from "../admin/model-writes.ts";
import { WeirError } from "../errors.ts";
import { parseDuration } from "../units.ts";
import type { AdminClient } from "./admin/client.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, PERSIST, STATUSES } from "./admin/flags.ts";
import { appliedText, print } from "./admin/output.ts";
import { placeOf } from "./admin/place.ts";
import { type Command, helpText, readArguments } from "./command.ts";

type Name = AdminFlag | "persist";

export const DRAIN: Command<Name | "wait" | "timeout"> = {
  name: "drain",
  about: "Gives a backend no new work; what it has is finished.",
  forms: [
    ["weir drain POOL/BACKEND", "begins, and returns at once"],
    ["weir drain POOL/BACKEND --wait", "returns when nothing is under way there any more"],
  ],
  positional: "POOL/BACKEND",
  flags: {
    ...ADMIN_FLAGS,
    persist: PERSIST,
    wait: { value: null, meaning: "wait until nothing is under way there" },
    timeout: { value: "TIME", meaning: "wait no longer than this, as in 30s; status 1 where something is left" },
  },
  notes: ["`weir ready POOL/BACKEND` undoes it.", STATUSES],
};

export const READY: Command<Name> = {
  name: "ready",
  about: "Gives a backend work again, after drain or maintenance.",
  forms: [["weir ready POOL/BACKEND", "health checks still have their say"]],
  positional: "POOL/BACKEND",
  flags: { ...ADMIN_FLAGS, persist: PERSIST },
  notes: [STATUSES],
};

export const MAINTENANCE: Command<Name> = {
  name: "maintenance",
  about: "Leaves a backend alone: no work, pinned clients neither, and no probes.",
  forms: [["weir maintenance POOL/BACKEND", "`weir ready` undoes it"]],
  positional: "POOL/BACKEND",
  flags: { ...ADMIN_FLAGS, persist: PERSIST },
  notes: [STATUSES],
};

/** `weir drain POOL/BACKEND`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function drain(args: readonly string[]): Promise<number> {
  const given = readArguments(DRAIN, args);
  if (given.help) {
    console.log(helpText(DRAIN));
    return 0;
  }
  const { flags, positional } = given;
  const { path } = placeOf(positional, "drain");
  const client = clientOf(given);
  const [timeout] = flags.timeout;
  const timeoutMs = timeout === undefined ? Infinity : parseDuration(timeout);
  const json = flags.json.length > 0;
  const answer = await client.send("PATCH", path, appliedSchema, { state: "drain", persist: flags.persist.length > 0 });
  if (flags.wait.length === 0 && timeout === undefined) {
    print(json, answer, appliedText);
    return 0;
  }
  const left = await waitUntilIdle(client, path, timeoutMs);
  const text = left === 0 ? `${positional} is idle` : `${positional} still has ${left} under way`;
  print(json, { ...answer, inFlight: left }, () => `${appliedText(answer)}\n${text}`);
  return left === 0 ? 0 : 1;
}

/** `weir ready POOL/BACKEND`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export function ready(args: readonly string[]): Promise<number> {
  return setState(READY, "ready", args);
}

/** `weir maintenance POOL/BACKEND`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export function maintenance(args: readonly string[]): Promise<number> {
  return setState(MAINTENANCE, "maintenance", args);
}

async function setState(
  command: Command<Name>,
  state: "ready" | "maintenance",
  args: readonly string[],
): Promise<number> {
  const given = readArguments(command, args);
  if (given.help) {
    console.log(helpText(command));
    return 0;
  }
  const { flags, positional } = given;
  const { path } = placeOf(positional, command.name);
  const body = { state, persist: flags.persist.length > 0 };
  print(flags.json.length > 0, await clientOf(given).send("PATCH", path, appliedSchema, body), appliedText);
  return 0;
}

/** Often enough for a person, seldom enough for Weir. */
const LOOK_MS = 200;

/** Waits until nothing is under way at a backend. @returns how much is left */
async function waitUntilIdle(client: AdminClient, path: string, timeoutMs: number): Promise<number> {
  const until = performance.now() + timeoutMs;
  for (let idle = 0; ;) {
    const { inFlight } = await client.get(path, backendSchema).catch((error: unknown) => {
      // It was removed meanwhile: nothing more comes to it, and nobody counts what it has.
      if (error instanceof WeirError && error.code === "ADMIN_NOT_FOUND") return { inFlight: 0 };
      throw error;
    });
    // Twice: a request that was on its way to it when the drain began has arrived by then.
    idle = inFlight === 0 ? idle + 1 : 0;
    if (idle === 2) return 0;
    if (performance.now() >= until) return inFlight;
    await Bun.sleep(LOOK_MS);
  }
}
