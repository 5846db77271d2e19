import { expect, test } from "bun:test";
import { masked } from "./config.ts";

test("what may be a secret is masked, wherever it stands, and nothing else", () => {
  const raw = {
    pools: {
      app: {
        affinity: { cookie: "c", secret: "hidden-1" },
        health: { probe: { headers: { authorization: "hidden-2", "x-key": "hidden-3" } }, body: /ok/ },
      },
    },
    admin: { tokenFile: "/etc/token" },
    explain: { token: "hidden-4" },
    tracing: { endpoint: "https://user:hidden-5@otel:4318/v1", headers: [["a", "hidden-6"]] },
    list: [1, null, "user@host", 5n],
  };
  const text = JSON.stringify(masked(raw));
  expect(text).not.toContain("hidden");
  expect(masked(raw)).toMatchObject({
    pools: { app: { affinity: { cookie: "c", secret: "***" }, health: { body: "/ok/" } } },
    admin: { tokenFile: "/etc/token" },
    tracing: { endpoint: "https://***@otel:4318/v1" },
    list: [1, null, "user@host", "5"],
  });
});
