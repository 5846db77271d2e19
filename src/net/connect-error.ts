import type { ErrorCode } from "../errors.ts";

const CODES: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: "BACKEND_REFUSED",
  // A unix socket whose file is gone has nobody listening either.
  ENOENT: "BACKEND_REFUSED",
  ECONNRESET: "BACKEND_REFUSED",
  ETIMEDOUT: "BACKEND_CONNECT_TIMEOUT",
  ENOTFOUND: "BACKEND_NAME",
  EAI_AGAIN: "BACKEND_NAME",
  ENODATA: "BACKEND_NAME",
};

/** Why a connection could not be opened, as a code of the table. */
export function connectErrorCode(error: Error): { readonly code: ErrorCode; readonly detail: string } {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return { code: CODES[code] ?? "BACKEND_UNREACHABLE", detail: code === "" ? error.message : code };
}
