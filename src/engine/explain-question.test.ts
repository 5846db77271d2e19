import { expect, test } from "bun:test";
import { planOf } from "../../test/fixtures/cluster.ts";
import { parseAddress } from "../address.ts";
import type { ListenerPlan, Plan } from "../plan.ts";
import { chooseListener, readUrl } from "./explain-question.ts";

const base = planOf({ backends: [1] });

function plan(...listeners: readonly (readonly [name: string, address: string, mode?: "http" | "tcp"])[]): Plan {
  const made = listeners.map(([name, address, mode = "http"]): ListenerPlan => {
    return { ...base.listeners[0]!, name, mode, address: parseAddress(address) };
  });
  return { ...base, listeners: made };
}

function chosen(of: Plan, url: string, name: string | null = null): readonly [string | null, string] {
  const { listener, why } = chooseListener(of, readUrl(url), name);
  return [listener?.name ?? null, why];
}

test("a URL is read as it stands, with nothing resolved", () => {
  expect(readUrl("http://a.test:81/x/../%2e%2e/y?q=1#top")).toEqual({
    scheme: "http",
    authority: "a.test:81",
    port: 81,
    target: "/x/../%2e%2e/y?q=1",
  });
  expect(readUrl("a.test")).toMatchObject({ authority: "a.test", port: 80, target: "/" });
  expect(readUrl("https://[::1]?x")).toMatchObject({ authority: "[::1]", port: 443, target: "/?x" });
  expect(readUrl("/only/a/path")).toMatchObject({ authority: "", port: null, target: "/only/a/path" });
  for (const wrong of ["ftp://a.test/", "http:///x", ""]) expect(() => readUrl(wrong)).toThrow("is no URL");
});

test("a listener is the one that is named, else the one on the port, else the only one", () => {
  const two = plan(["web", "0.0.0.0:8080"], ["api", "127.0.0.1:8081"], ["db", "127.0.0.1:5432", "tcp"]);
  expect(chosen(two, "http://x.test:8081/")).toEqual(["api", "it listens on port 8081"]);
  expect(chosen(two, "http://127.0.0.1:8081/")).toEqual(["api", "it listens on 127.0.0.1:8081"]);
  expect(chosen(two, "http://x.test/", "web")).toEqual(["web", "it was named"]);
  expect(() => chosen(two, "/", "nobody")).toThrow('no listener is named "nobody"; there are: web, api, db');
  expect(chosen(two, "http://x.test/")).toEqual([
    null,
    "nothing listens on port 80: name the listener, one of web, api, db",
  ]);
  expect(chosen(two, "tcp://anything:1")[0]).toBe("db");
  expect(chosen(plan(["web", "127.0.0.1:8080"]), "/x")).toEqual([
    "web",
    "the URL names no port; it is the only one in mode http",
  ]);
});

test("of two addresses with one port the one of the URL is meant, else the one for all", () => {
  const both = plan(["own", "127.0.0.1:80"], ["all", ":80"]);
  expect(chosen(both, "http://127.0.0.1/")[0]).toBe("own");
  expect(chosen(both, "http://a.test/")[0]).toBe("all");
});
