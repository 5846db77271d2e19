import type { z } from "zod";
import { keyText, type Problem } from "../config/files/problems.ts";
import { ERRORS, WeirError } from "../errors.ts";
import { Refusal } from "./problem.ts";

/** Bytes of a body: a pool of ten thousand backends fits. */
const MOST_BYTES = 2 ** 20;

/**
 * Reads the body of a request as JSON.
 * @throws ADMIN_MEDIA_TYPE, ADMIN_TOO_LARGE, ADMIN_BAD_JSON
 */
export async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  // A form of a web page cannot say so without asking first (Fetch §2.2.2).
  if (!/^application\/json *(?:;|$)/i.test(type))
    throw new WeirError("ADMIN_MEDIA_TYPE", type === "" ? "the request has no Content-Type" : `it is ${type}`);
  const text = await readText(request);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WeirError("ADMIN_BAD_JSON", error instanceof Error ? error.message : String(error), error);
  }
}

async function readText(request: Request): Promise<string> {
  const tooLarge = (): WeirError => new WeirError("ADMIN_TOO_LARGE", `it has more than ${MOST_BYTES} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > MOST_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Not all at once: whoever sends without a length may never end.
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * What a schema reads of a value.
 * @param of what the value is, for the message: `body`, `query`
 * @throws ADMIN_BAD_REQUEST with everything that is wrong
 */
export function readAs<T>(schema: z.ZodType<T>, value: unknown, of: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }): Problem => {
    const key = keyText(path.map((step) => (typeof step === "number" ? step : String(step))));
    const { mend } = ERRORS.ADMIN_BAD_REQUEST;
    return { code: "ADMIN_BAD_REQUEST", file: null, line: null, column: null, key, message, mend };
  });
  const text = problems.map(({ key, message }) => (key === "" ? message : `${key}: ${message}`)).join("; ");
  throw new Refusal("ADMIN_BAD_REQUEST", `the ${of} is not as it should be: ${text}`, problems);
}
