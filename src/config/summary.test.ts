import { expect, test } from "bun:test";
import { planFromConfig } from "./files/read.ts";
import type { Config } from "./schema/schema.ts";
import { summary } from "./summary.ts";

test("a plan in a few lines", async () => {
  const config: Config = {
    listeners: {
      web: {
        address: ":8080",
        routes: [{ host: "api.example.com", path: "/v1/*", pool: "api" }, { path: "/x", pool: "api" }, { pool: "app" }],
      },
      db: { address: "unix:/run/db.sock", mode: "tcp", pool: "app" },
    },
    pools: {
      app: { backends: [":8001,weight=2", { address: "10.0.0.10:80", weight: 0 }] },
      api: { policy: "least-connections", backends: [{ address: ":9000", maxConnections: 5 }] },
    },
    workers: 1,
    admin: "off",
  };
  const read = await planFromConfig(config, { file: null }, { resolve: false });
  expect("plan" in read ? summary(read.plan) : read).toBe(`listeners
  web  http  :8080
    api.example.com/v1/* → api
    */x                  → api
    everything           → app
  db   tcp   unix:/run/db.sock
    everything → app

pools
  app  round-robin
    127.0.0.1:8001  weight 2
    10.0.0.10:80    weight 0 (takes no new work)
  api  least-connections
    127.0.0.1:9000  weight 1, at most 5 connections

1 worker`);
});
