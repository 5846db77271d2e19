import { appliedSchema } from "../admin/model-writes.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, PERSIST, STATUSES } from "./admin/flags.ts";
import { appliedText, print } from "./admin/output.ts";
import { placeOf } from "./admin/place.ts";
import { type Command, helpText, readArguments } from "./command.ts";

export const ADD: Command<AdminFlag | "persist"> = {
  name: "add",
  about: "Adds a backend to a pool, or sets the one with this address anew.",
  forms: [["weir add POOL/ADDR[,weight=N]", "as in weir add app/10.0.0.7:8080"]],
  positional: "POOL/ADDR",
  flags: { ...ADMIN_FLAGS, persist: PERSIST },
  notes: ["It begins with its slow start, and with probes where the pool has them.", STATUSES],
};

/** `weir add POOL/ADDR`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function add(args: readonly string[]): Promise<number> {
  const given = readArguments(ADD, args);
  if (given.help) {
    console.log(helpText(ADD));
    return 0;
  }
  const { pool, backend } = placeOf(given.positional, "add");
  const body = { backend, persist: given.flags.persist.length > 0 };
  const path = `/v1/pools/${encodeURIComponent(pool)}/backends`;
  print(given.flags.json.length > 0, await clientOf(given).send("POST", path, appliedSchema, body), appliedText);
  return 0;
}
