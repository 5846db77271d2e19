import { expect, test } from "bun:test";
import { Refused } from "./client.ts";

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
