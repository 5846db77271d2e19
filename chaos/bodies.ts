/** What backends and the load agree on, so that each body can be told from every other. */

/** Methods of the load in turn: of four requests three are idempotent. */
export const METHODS = ["GET", "PUT", "GET", "POST"] as const;
export type Method = (typeof METHODS)[number];

/** The body of a request: its id, over and over; none for a GET. */
export function requestBody(method: Method, id: string, sequence: number): string {
  return method === "GET" ? "" : `${id} `.repeat(1 + ((sequence * 37) % 300));
}

/** The only right answer: says what came and carries the request's id to its last byte. */
export function responseBody(method: string, id: string, body: string): string {
  return `${method} ${id} ${body.length} ${Bun.hash(body)}\n${`${id} `.repeat(Number(Bun.hash(id) % 400n))}.`;
}
