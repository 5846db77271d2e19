import { usage } from "../command.ts";

/**
 * Reads `POOL/BACKEND`. Names of pools hold no slash; addresses of backends may.
 * @throws CLI_USAGE
 */
export function placeOf(
  text: string | null,
  command: string,
): { readonly pool: string; readonly backend: string; readonly path: string } {
  const slash = text?.indexOf("/") ?? -1;
  if (text === null || slash < 1 || slash === text.length - 1)
    throw usage(
      `which backend? ${text === null ? "" : `"${text}" is none: `}use POOL/ADDRESS, as in app/127.0.0.1:8001`,
      command,
    );
  const [pool, backend] = [text.slice(0, slash), text.slice(slash + 1)];
  return { pool, backend, path: `/v1/pools/${encodeURIComponent(pool)}/backends/${encodeURIComponent(backend)}` };
}
