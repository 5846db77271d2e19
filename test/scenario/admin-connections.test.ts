import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { connectionsSchema, type ConnectionsView, type ListenerView, type Status } from "../../src/admin/model.ts";
import { problemSchema } from "../../src/admin/model-writes.ts";
import type { NumberedBackends } from "../fixtures/numbered-backends.ts";
import { connectRaw, type RawConnection } from "../fixtures/raw.ts";
import { type AdminStage, adminStage, type AdminWeir } from "../fixtures/weir-admin.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

let stage: AdminStage;
let servers: NumberedBackends;
let lb: AdminWeir;
let web: string;

beforeAll(async () => {
  stage = await adminStage(1, (backends) => ({
    workers: 1,
    listeners: { web: { address: "127.0.0.1:0", routes: [{ pool: "app" }] } },
    pools: { app: { backends } },
  }));
  ({ lb, servers } = stage);
  web = await lb.process.address("web");
});

afterAll(() => stage[Symbol.asyncDispose]());

/** All that is open, as soon as it is so many: what a test before has left may be closing yet. */
async function listed(total: number): Promise<ConnectionsView["connections"]> {
  for (;;) {
    const view = connectionsSchema.parse(await lb.json("/v1/connections"));
    if (view.total === total) return view.connections;
  }
}

beforeEach(() => listed(0));

async function connected(path: string): Promise<RawConnection> {
  const client = await connectRaw(Number(web.split(":")[1]));
  client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return client;
}

/** The process in the seat of the worker. */
async function pid(): Promise<number | null> {
  return (await lb.json<Status>("/v1/status")).workers[0]?.pid ?? null;
}

function remove(id: string | undefined): Promise<Response> {
  return lb.ask(`/v1/connections/${id}`, "DELETE");
}

test("connections of a process that is leaving are listed beside those of its successor, and each is closed by its own id", async () => {
  await using old = await connected("/slow");
  await servers.waiting;
  const [before] = await listed(1);
  const leaving = await pid();
  await lb.json("/v1/workers/0/renew", "POST", {});
  await using fresh = await connected("/");
  await fresh.untilText("\r\n\r\n");
  const both = await listed(2);
  expect(both.map(({ worker, state }) => [worker, state])).toEqual([
    [0, "idle"],
    [0, "active"],
  ]);
  const [after] = both;
  expect(both[1]?.id).toBe(before?.id ?? "");
  expect(after?.id).not.toBe(before?.id);
  const { listeners } = await lb.json<{ listeners: ListenerView[] }>("/v1/listeners");
  expect(listeners[0]?.connections).toBe(2);
  const done = await remove(before?.id);
  expect(await done.json()).toEqual({ done: `connection ${before?.id} is closed` });
  await old.untilEnd();
  await lb.process.event("worker left", { pid: leaving });
  expect((await remove(before?.id)).status).toBe(404);
  expect((await listed(1))[0]?.id).toBe(after?.id ?? "");
  await remove(after?.id);
  await fresh.untilEnd();
});

test("an id that was never given is unknown, and one that has ended is no error", async () => {
  await using client = await connected("/");
  await client.untilText("\r\n\r\n");
  const [given] = await listed(1);
  const [process, number] = (given?.id ?? "").split("-").map(Number);
  for (const wrong of [Number(number) + 1, 1]) {
    const answer = await remove(`${process}-${wrong}`);
    expect(problemSchema.parse(await answer.json())).toMatchObject({ status: 404, code: "ADMIN_NOT_FOUND" });
  }
  expect((await listed(1))[0]?.id).toBe(given?.id ?? "");
  for (const done of ["is closed", "was gone already"]) {
    expect(await (await remove(given?.id)).json()).toEqual({ done: `connection ${given?.id} ${done}` });
    await client.untilEnd();
  }
});

test("the id of a connection whose worker has died never names another one", async () => {
  await using old = await connected("/");
  await old.untilText("\r\n\r\n");
  const [before] = await listed(1);
  const died = await pid();
  process.kill(Number(died), "SIGKILL");
  await lb.process.event("worker replaced", { replaced: died });
  await using fresh = await connected("/");
  await fresh.untilText("\r\n\r\n");
  const [after] = await listed(1);
  expect(after?.id).not.toBe(before?.id);
  expect((await remove(before?.id)).status).toBe(404);
  expect((await listed(1))[0]?.id).toBe(after?.id ?? "");
});
