import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "yaml";
import { FAMILIES } from "./text.ts";

const EXAMPLES = join(import.meta.dir, "../../../examples");
/** Labels that Prometheus itself gives to what it scrapes. */
const GIVEN = ["instance", "job"];

/** Names of metrics as they stand in the text, with what their lines have of labels. */
const LABELS = new Map(
  FAMILIES.flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === "histogram"
      ? [
          [`${name}_bucket`, [...labels, "le", ...GIVEN]],
          [`${name}_sum`, [...labels, ...GIVEN]],
          [`${name}_count`, [...labels, ...GIVEN]],
        ]
      : [[name, [...labels, ...GIVEN]]],
  ),
);

/** Metrics that an expression names, each with the labels in its braces. */
function named(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b((?:weir|process)_[a-z_]+)(\{[^}]*\})?(?=[^a-z_=!~]|$)/g)].map(
    ([, name = "", braces = ""]) => ({
      name,
      labels: [...braces.matchAll(/([a-z_]+)(?:=|!)/g)].map(([, label = ""]) => label),
    }),
  );
}

/** What is wrong with an expression, as far as that can be told from the names in it. */
function problems(expression: string): string[] {
  const metrics = named(expression);
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/, */));
  const all = [
    ...metrics.flatMap(({ name, labels }) => labels.map((label) => ({ name, label }))),
    ...metrics.flatMap(({ name }) => grouped.map((label) => ({ name, label }))),
  ];
  return [
    ...(metrics.length === 0 ? [`no metric in ${expression}`] : []),
    ...metrics.filter(({ name }) => !LABELS.has(name)).map(({ name }) => `there is no ${name}`),
    ...all
      .filter(({ name, label }) => LABELS.get(name)?.includes(label) === false)
      .map((each) => `no ${each.label} in ${each.name}`),
  ];
}

/** All texts under a key of that name, however deep. */
function textsAt(key: string, value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    name === key && typeof inner === "string" ? [inner] : textsAt(key, inner),
  );
}

test("what is not there is told of", () => {
  expect(problems("sum by (pool) (rate(weir_pool_nothing_total[5m]))")).toEqual([
    "there is no weir_pool_nothing_total",
  ]);
  expect(problems('weir_pool_panic{listener="x"}')).toEqual(["no listener in weir_pool_panic"]);
  expect(problems("sum by (backend) (weir_pool_waiting)")).toEqual(["no backend in weir_pool_waiting"]);
  expect(problems("weir_pool_request_duration_seconds")).toEqual(["there is no weir_pool_request_duration_seconds"]);
  expect(problems("up")).toEqual(["no metric in up"]);
});

describe("the dashboard", async () => {
  const dashboard: unknown = await Bun.file(join(EXAMPLES, "grafana/weir.json")).json();

  test("names only metrics and labels that there are", () => {
    const expressions = [
      ...textsAt("expr", dashboard),
      ...textsAt("definition", dashboard).map((text) => /^label_values\((.*), \w+\)$/.exec(text)?.[1] ?? text),
    ];
    expect(expressions.length).toBeGreaterThan(30);
    expect(expressions.flatMap(problems)).toEqual([]);
  });

  test("shows every family but those that say the same in another way", () => {
    const shown = new Set(
      textsAt("expr", dashboard)
        .flatMap(named)
        .map(({ name }) => name),
    );
    const missing = FAMILIES.filter(({ name }) => !["", "_bucket", "_count"].some((end) => shown.has(name + end)));
    expect(missing.map(({ name }) => name)).toEqual([
      "weir_info",
      "weir_uptime_seconds",
      "weir_config_last_reload_success_timestamp_seconds",
      "weir_workers",
      "weir_pool_connect_duration_seconds",
      "weir_backend_state",
      "weir_backend_ejected",
      "weir_backend_probe_success",
      "weir_backend_request_duration_seconds",
      "process_virtual_memory_bytes",
      "process_start_time_seconds",
    ]);
  });

  test("has panels with places and numbers of their own", () => {
    const { panels } = dashboard as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});

test("the alerts are rules with expressions of metrics and labels that there are, each with a name of its own", async () => {
  const file = parse(await Bun.file(join(EXAMPLES, "prometheus/alerts.yaml")).text()) as {
    groups: { name: string; rules: Record<string, unknown>[] }[];
  };
  const rules = file.groups.flatMap((group) => group.rules);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const rule of rules) {
    const { alert, expr, for: lasting = "1m", labels, annotations, ...rest } = rule;
    expect(alert).toMatch(/^Weir[A-Z][A-Za-z]+$/);
    expect(problems(String(expr))).toEqual([]);
    expect(lasting).toMatch(/^\d+[smh]$/);
    expect(labels).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
    expect(annotations).toEqual({ summary: expect.any(String), description: expect.any(String) });
    expect(rest).toEqual({});
    const known = named(String(expr)).flatMap(({ name }) => LABELS.get(name) ?? []);
    for (const [, label = ""] of textsAt("summary", rule)
      .join()
      .matchAll(/\$labels\.(\w+)/g))
      expect(known).toContain(label);
  }
});
