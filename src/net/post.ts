/**
 * Posts a body of JSON with the runtime's own client. Redirects are not followed.
 * @returns the status, or why there is none
 */
export async function postJson(
  url: string,
  headers: readonly (readonly [name: string, value: string])[],
  body: string,
  timeoutMs: number,
): Promise<number | string> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: [
        ...headers.map(([name, value]): [string, string] => [name, value]),
        ["content-type", "application/json"],
      ],
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
