import { z } from "zod";
import { configSchema } from "./schema.ts";

/** JSON Schema (draft 2020-12) of a configuration as a user writes it, for editors. */
export function jsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    unrepresentable: "any",
    override: (made) => {
      // An object of JavaScript, as a regular expression: no text holds one.
      if (made.zodSchema._zod.def.type === "custom") made.jsonSchema.not = {};
      // `readonly` is of the TypeScript type; to an editor it would mean that the list may not be written.
      delete made.jsonSchema.readOnly;
    },
  });
  return { $schema: schema.$schema, title: "Weir configuration", ...schema };
}
