/**
 * A backend as a program: answers each request with what only that request can be answered with. Its argument is its port, 0 for any; says
 * `listening PORT` on stdout.
 */
import { responseBody } from "./bodies.ts";

/** Some answers take so long, so that there are always requests on their way. */
const SLOWEST_MS = 8;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  idleTimeout: 0,
  async fetch(request): Promise<Response> {
    const body = await request.text();
    const id = request.headers.get("x-id") ?? "";
    const afterMs = Number(Bun.hash(id) % BigInt(SLOWEST_MS + 1));
    if (afterMs > 0) await Bun.sleep(afterMs);
    return new Response(responseBody(request.method, id, body));
  },
});
console.log(`listening ${server.port}`);
