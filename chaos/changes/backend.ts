/**
 * A backend as a program, for all kinds of traffic: `/download` takes seconds, `/upload` reads what takes seconds to come, `/ws` echoes messages,
 * everything else is answered at once. Says `listening PORT` on stdout.
 */
import { responseBody } from "../bodies.ts";
import { downloadPiece, PIECES, PIECE_MS } from "./traffic.ts";

const server = Bun.serve<{ readonly id: string }>({
  hostname: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  idleTimeout: 0,
  async fetch(request, own): Promise<Response | undefined> {
    const { pathname } = new URL(request.url);
    const id = request.headers.get("x-id") ?? "";
    if (pathname === "/ws")
      return own.upgrade(request, { data: { id } }) ? undefined : new Response("", { status: 400 });
    if (pathname === "/download") return download(id);
    return new Response(responseBody(request.method, id, await request.text()));
  },
  websocket: {
    // The one that is silent is watched by nobody here: its client says something all the time.
    idleTimeout: 0,
    message: (socket, message) => void socket.send(message),
  },
});
console.log(`listening ${server.port}`);

function download(id: string): Response {
  const piece = downloadPiece(id);
  let sent = 0;
  const body = new ReadableStream<string>({
    async pull(controller) {
      await Bun.sleep(PIECE_MS);
      controller.enqueue(piece);
      sent += 1;
      if (sent === PIECES) controller.close();
    },
  });
  return new Response(body.pipeThrough(new TextEncoderStream()));
}
