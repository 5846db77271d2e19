import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { formatAddress, parseAddress } from "../../address.ts";
import { libc } from "../../net/libc.ts";
import type { Plan } from "../../plan.ts";
import { type HeldSockets, holdSockets, type Legacy } from "./sockets.ts";

const base = planOf({ backends: [1] });

function duplicate(fd: number): number {
  const copy = libc()?.duplicate(fd);
  return copy?.ok === true ? copy.value : -1;
}

function plan(listeners: Readonly<Record<string, string>>): Plan {
  const [web] = base.listeners;
  return {
    ...base,
    listeners: Object.entries(listeners).map(([name, text]) => ({ ...web!, name, address: parseAddress(text) })),
  };
}

function addresses(of: Plan): Record<string, string> {
  return Object.fromEntries(of.listeners.map(({ name, address }) => [name, formatAddress(address)]));
}

function fdsOf(held: HeldSockets): unknown[] {
  return held.inheritedBy(0).map((each) => (each.kind === "socket" ? each.fd : each.kind));
}

test.if(process.platform === "linux")(
  "a listener keeps its socket and its port; the same address under another name too",
  async () => {
    using folder = temporaryFolder();
    const unix = `unix:${folder.path}/a.sock`;
    const held = await holdSockets(plan({ web: "127.0.0.1:0", local: unix }), 2);
    const [web, local] = fdsOf(held);
    const before = addresses(held.plan);
    const change = await held.change(plan({ added: "127.0.0.1:0", web: "127.0.0.1:0", renamed: unix }));
    expect(change.added).toEqual([0, 2]);
    expect(addresses(change.plan)).toMatchObject({ web: before["web"], renamed: unix });
    expect(change.sentTo(0, 2)).toEqual({ from: { kind: "sent" }, fd: local as number });
    change.commit();
    expect(fdsOf(held).slice(1)).toEqual([web, local]);
    held.close();
    expect(existsSync(`${folder.path}/a.sock`)).toBe(false);
  },
);

test("what cannot be bound leaves everything as it was, and what was bound for it is free again", async () => {
  const held = await holdSockets(plan({ web: "127.0.0.1:0" }), 1);
  const before = fdsOf(held);
  const other = await holdSockets(plan({ taken: "127.0.0.1:0" }), 1);
  const taken = addresses(other.plan)["taken"] ?? "";
  expect(held.change(plan({ web: "127.0.0.1:0", taken }))).rejects.toMatchObject({ code: "LISTEN_IN_USE" });
  other.close();
  const change = await held.change(plan({ taken }));
  change.abandon();
  expect(fdsOf(held)).toEqual(before);
  (await holdSockets(plan({ taken }), 1)).close();
  held.close();
});

test.if(process.platform === "linux")("what is bound for a change is closed along with the rest", async () => {
  using folder = temporaryFolder();
  const held = await holdSockets(plan({ web: "127.0.0.1:0" }), 2);
  const path = `${folder.path}/a.sock`;
  const change = await held.change(plan({ local: `unix:${path}`, late: "127.0.0.1:0" }));
  const { late = "" } = addresses(change.plan);
  held.close();
  expect(existsSync(path)).toBe(false);
  (await holdSockets(plan({ late }), 1)).close();
  expect(change.commit).toThrow("NOT_RUNNING");
  change.abandon();
});

test("what is still being bound as the rest is closed is closed as well", async () => {
  const held = await holdSockets(plan({ web: "127.0.0.1:0" }), 2);
  const change = held.change(plan({ web: "127.0.0.1:0", later: "localhost:0" }));
  held.close();
  expect(change).rejects.toMatchObject({ code: "NOT_RUNNING" });
});

test.if(process.platform === "linux")("an address may become another one of the same port", async () => {
  const held = await holdSockets(plan({ web: ":0" }), 1);
  const [, port] = (addresses(held.plan)["web"] ?? "").split(":");
  const change = await held.change(plan({ web: `127.0.0.1:${port}` }));
  change.commit();
  expect(addresses(held.plan)).toEqual({ web: `127.0.0.1:${port}` });
  expect(change.added).toEqual([0]);
  held.close();
});

test.if(process.platform === "linux")(
  "what is written in another way stays the same socket, where it leads to the same address",
  async () => {
    const held = await holdSockets(plan({ web: "127.0.0.1:0" }), 2);
    const before = fdsOf(held);
    const { web = "" } = addresses(held.plan);
    const [, port] = web.split(":");
    for (const written of [web, `localhost:${port}`]) {
      const change = await held.change(plan({ web: written }));
      change.commit();
      expect({ added: change.added, plan: addresses(held.plan) }).toEqual({ added: [], plan: { web } });
      expect(fdsOf(held)).toEqual(before);
    }
    const renamed = await held.change(plan({ other: web }));
    renamed.commit();
    expect(fdsOf(held)).toEqual(before);
    held.close();
  },
);

test.if(process.platform === "linux")("a successor goes on with the sockets, by name or by address", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  const old = await holdSockets(plan({ web: "127.0.0.1:0", local: `unix:${path}`, gone: "127.0.0.1:0" }), 2);
  const legacy = old.legacy();
  expect(legacy.map(({ fds }) => fds.length)).toEqual([2, 1, 2]);
  const successor = await holdSockets(plan({ web: "127.0.0.1:0", other: `unix:${path}` }), 3, legacy);
  expect(addresses(successor.plan)["web"]).toBe(addresses(old.plan)["web"]);
  expect(successor.inheritedBy(1)[0]).toEqual({ kind: "socket", fd: legacy[0]?.fds[1] ?? -1 });
  successor.own();
  successor.close();
  expect(existsSync(path)).toBe(false);
});

test.if(process.platform === "linux")(
  "a successor with fewer workers serves all sockets, and hands all on",
  async () => {
    const web = plan({ web: "127.0.0.1:0" });
    const [handed] = (await holdSockets(web, 5)).legacy();
    const fewer = await holdSockets(web, 2, handed === undefined ? [] : [handed]);
    const served = [0, 1].map((worker) =>
      fewer.inheritedBy(worker).map((each) => (each.kind === "socket" ? each.fd : -1)),
    );
    const [a, b, c, d, e] = handed?.fds ?? [];
    expect(served).toEqual([
      [a, c, e],
      [b, d],
    ] as number[][]);
    fewer.withdraw(1);
    const [left] = fewer.legacy();
    expect(left?.fds).toEqual([a, c, e] as number[]);
    fewer.restore(1);
    const [on] = fewer.legacy();
    expect(on?.fds.length).toBe(4);
    const more = await holdSockets(web, 4, on === undefined ? [] : [on]);
    for (let worker = 0; worker < 4; worker++) expect(more.inheritedBy(worker).length).toBe(1);
    more.close();
  },
);

test.if(process.platform === "linux")(
  "the file of a unix socket that was left to it is removed with the rest once it is its own, and never where it is the system's",
  async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/a.sock`;
    const local = plan({ local: `unix:${path}` });
    const before = await holdSockets(local, 1);
    // As the other process has them: the descriptors are duplicates.
    const legacy = (more: boolean): Legacy[] =>
      before.legacy().map((each) => ({ ...each, more, fds: each.fds.map(duplicate) }));
    (await holdSockets(local, 1, legacy(true))).close();
    expect(existsSync(path)).toBe(true);
    const busy = await holdSockets(plan({ web: "127.0.0.1:0" }), 1);
    const both = plan({ local: `unix:${path}`, web: addresses(busy.plan)["web"] ?? "" });
    expect(holdSockets(both, 1, legacy(true))).rejects.toMatchObject({ code: "LISTEN_IN_USE" });
    busy.close();
    expect(existsSync(path)).toBe(true);
    const activated = await holdSockets(local, 1, legacy(false));
    activated.own();
    expect(activated.legacy()).toMatchObject([{ more: false }]);
    activated.close();
    expect(existsSync(path)).toBe(true);
    const heir = await holdSockets(local, 1, legacy(true));
    heir.own();
    before.release();
    heir.close();
    expect(existsSync(path)).toBe(false);
  },
);
