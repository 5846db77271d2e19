import { expect, test } from "bun:test";
import { z } from "zod";
import { AdminClient, Refused } from "./client.ts";

test("each thing that is wrong keeps its code; one of a later version is a refusal", () => {
  const place = { file: "weir.yaml", line: 1, column: 1, key: "a", message: "", mend: "" };
  const codes = ["CONFIG_BAD_ADDRESS", "CONFIG_UNKNOWN_KEY", "CONFIG_OF_TOMORROW"];
  const refused = new Refused({
    type: "",
    title: "",
    status: 422,
    code: "CONFIG_BAD_ADDRESS",
    detail: "",
    mend: "",
    problems: codes.map((code) => ({ ...place, code })),
  });
  expect(refused.code).toBe("CONFIG_BAD_ADDRESS");
  expect(refused.problems.map(({ code }) => code)).toEqual([
    "CONFIG_BAD_ADDRESS",
    "CONFIG_UNKNOWN_KEY",
    "ADMIN_REFUSED",
  ]);
});

test("what answers and is no Weir is told from one, also where a stream is asked for", async () => {
  using other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("welcome") });
  const client = new AdminClient(`127.0.0.1:${other.port}`, null);
  const refusal = {
    code: "ADMIN_UNREACHABLE",
    detail: `127.0.0.1:${other.port} does not answer as a Weir of this version`,
  };
  expect(await client.stream("/v1/events", "").catch((error: unknown) => error)).toMatchObject(refusal);
  expect(await client.get("/v1/status", z.object({ pid: z.int() })).catch((error: unknown) => error)).toMatchObject(
    refusal,
  );
});
