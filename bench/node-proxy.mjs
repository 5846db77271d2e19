// The Node proxy of the comparison; run by node-proxy.ts as: node node-proxy.mjs http|tcp PORT BACKEND…
import { Agent, createServer } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import { createProxyServer } from "httpxy";

const [mode, port, ...backends] = process.argv.slice(2);
let turn = 0;
const nextBackend = () => Number(backends[turn++ % backends.length]);

if (mode === "http") serveHttp();
else serveTcp();

function serveHttp() {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024 });
  const proxy = createProxyServer({ agent, xfwd: true });
  proxy.on("error", (_error, _request, response) => response.writeHead?.(502).end());
  const server = createServer((request, response) => {
    void proxy.web(request, response, { target: `http://127.0.0.1:${nextBackend()}` });
  });
  server.keepAliveTimeout = 3_600_000;
  server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
}

function serveTcp() {
  const server = createTcpServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const backend = connect({ port: nextBackend(), host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    client.on("error", () => backend.destroy());
    backend.on("error", () => client.destroy());
    client.pipe(backend).pipe(client);
  });
  server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
}
