import { expect, test } from "bun:test";
import { backend, client, get, ok, weir } from "../fixtures/http.ts";

const EXPECTING = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

test("100-continue is asked of the backend, and its answer passed on before the body", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(EXPECTING);
  const connection = await app.server.connection(0);
  await connection.untilText("Expect: 100-continue\r\n");
  connection.send(CONTINUE);
  expect((await user.response()).start).toBe("HTTP/1.1 100 Continue");
  user.send("hello");
  expect((await user.response()).status).toBe(200);
  expect(app.requests[0]?.body).toBe("hello");
});

test("a refusal in place of 100 reaches the client, who is told that the connection closes", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(EXPECTING);
  const connection = await app.server.connection(0);
  await connection.untilText("Expect: 100-continue\r\n");
  connection.send(ok("no", "", "401 Unauthorized"));
  const response = await user.response();
  // Whether its body still comes cannot be known, and so not where the next request would begin.
  expect([response.status, response.field("connection")]).toEqual([401, "close"]);
  await user.raw.untilEnd();
  await connection.untilEnd();
});

test("100 and the final response may come in one piece", async () => {
  await using app = backend(() => CONTINUE + ok());
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get());
  expect((await user.response()).status).toBe(100);
  expect((await user.response()).status).toBe(200);
});

test("103 Early Hints are passed on with their fields, as many as there are", async () => {
  await using app = backend(() => {});
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get());
  const { connection } = await app.request(0);
  connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
  expect((await user.response()).field("link")).toBe("</a.css>");
  connection.send("HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n");
  expect((await user.response()).field("link")).toBe("</b.css>");
  connection.send(ok());
  const response = await user.response();
  expect([response.status, response.body]).toEqual([200, "ok"]);
  connection.send(ok("poison"));
});

test("a client of HTTP/1.0, which knows no interim responses, gets none", async () => {
  await using app = backend(() => `${CONTINUE}HTTP/1.1 103 Early Hints\r\n\r\n${ok()}`);
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  expect((await user.ask("GET / HTTP/1.0\r\n\r\n")).start).toBe("HTTP/1.1 200 OK");
});

test("an interim response cut into bytes is the same", async () => {
  await using app = backend(() => {});
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get());
  const { connection } = await app.request(0);
  for (const byte of `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok()}`) {
    connection.send(byte);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect([(await user.response()).status, (await user.response()).status]).toEqual([103, 200]);
});

test("a backend that dies after 100 is a 502", async () => {
  await using app = backend(() => {});
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get());
  const { connection } = await app.request(0);
  connection.send(CONTINUE);
  expect((await user.response()).status).toBe(100);
  connection.end();
  expect((await user.response()).status).toBe(502);
});
