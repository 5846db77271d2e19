// Run by Node: tells what its parser, llhttp, makes of the requests that come. Strict: nothing lenient is switched on.
import { createServer } from "node:http";

const server = createServer({ insecureHTTPParser: false, keepAlive: true }, (request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const { method, url, rawTrailers } = request;
    const answer = { method, url, body: Buffer.concat(parts).toString("latin1"), trailers: rawTrailers.length / 2 };
    // In a field, since a response to HEAD has no body.
    response.setHeader("X-Answer", encodeURIComponent(JSON.stringify(answer)));
    response.setHeader("Connection", "close");
    response.end();
  });
});
// What is expected is no matter of the parser.
for (const event of ["checkContinue", "checkExpectation"])
  server.on(event, (request, response) => server.emit("request", request, response));
server.on("clientError", (_, socket) =>
  socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
