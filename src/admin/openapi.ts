import { z } from "zod";
import { VERSION } from "../version.ts";
import { problemSchema } from "./model-writes.ts";
import type { Resource } from "./resource.ts";

type Json = Readonly<Record<string, unknown>>;

/** A schema as OpenAPI 3.1 has it: JSON Schema 2020-12 as it is. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

/** The OpenAPI 3.1 document of the admin API, made of what the API itself goes by. */
export function openapi(resources: readonly Resource[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const resource of resources) (paths[resource.path] ??= {})[resource.method.toLowerCase()] = operation(resource);
  return {
    openapi: "3.1.0",
    info: {
      title: "Weir admin API",
      version: VERSION,
      description: "What a running Weir does, and how to change it; docs/admin.md tells of it.",
    },
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, "output") },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{}, { token: [] }],
  };
}

function operation({ method, path, summary, query, body, answer }: Resource): Json {
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^a-z]+([a-z]?)/gi, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    parameters: [...inPath(path), ...inQuery(query)],
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, "input") } } } }),
    responses: {
      200: { description: "Done.", content: content(answer) },
      default: {
        description: "Refused: nothing has changed.",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function inPath(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function inQuery(query: z.ZodObject | null): Json[] {
  if (query === null) return [];
  const { properties = {} } = z.toJSONSchema(query, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
}

function content(answer: Resource["answer"]): Json {
  switch (answer.kind) {
    case "json":
      return { "application/json": { schema: schemaOf(answer.schema, "output") } };
    case "stream": {
      // OpenAPI 3.1 has no word for the events of a stream: a schema for each by its name.
      const events = Object.fromEntries(
        Object.entries(answer.events).map(([name, schema]) => [name, schemaOf(schema, "output")]),
      );
      return { "text/event-stream": { schema: { type: "string" }, "x-events": events } };
    }
    case "text":
      return { [answer.type]: { schema: { type: "string" } } };
  }
}
