// Writes what is derived from the source: the JSON Schema of the configuration and two pages of the documentation.
// `--check` writes nothing and exits with 1 where a file differs from what would be written.
import { join } from "node:path";
import { z } from "zod";
import { accessLine } from "../src/observe/access-line.ts";
import { BOUNDS } from "../src/admin/metrics/seconds.ts";
import { FAMILIES } from "../src/admin/metrics/text.ts";
import { jsonSchema } from "../src/config/schema/json-schema.ts";
import { documentedSections } from "../src/config/schema/keys.ts";
import type { DocumentedSection } from "../src/config/schema/keys.ts";
import { ERRORS } from "../src/errors.ts";

const ROOT = join(import.meta.dir, "..");
const NOTE = "<!-- Written by scripts/generate.ts: change the source it reads, then run it. -->";

/** The files and their content, before formatting. */
const FILES: Readonly<Record<string, () => string>> = {
  "schema/weir.schema.json": () => JSON.stringify(jsonSchema()),
  "schema/access-log.schema.json": () => JSON.stringify(z.toJSONSchema(accessLine)),
  "docs/configuration.md": configurationPage,
  "docs/errors.md": errorsPage,
  "docs/metrics.md": metricsPage,
};

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const TITLES: Readonly<Record<string, string>> = {
  "": "Top level",
  "listeners.NAME": "A listener",
  "listeners.NAME.routes[]": "A route",
  "pools.NAME": "A pool",
  "pools.NAME.backends[]": "A backend",
  "pools.NAME.policy": "A policy",
  "pools.NAME.limits": "Limits of a pool",
  "pools.NAME.health": "Health",
  "pools.NAME.health.probe": "A probe",
  "pools.NAME.health.passive": "Passive health",
  "pools.NAME.health.passive.successRate": "Success rates",
  timeouts: "Timeouts",
  limits: "Limits",
  accessLog: "Access log",
  "listeners.NAME.accessLog": "Access log of a listener",
  requestId: "Request ids",
  tracing: "Traces",
  admin: "Admin",
  shutdown: "Shutdown",
  explain: "Explaining requests",
};

function sectionText({ path, keys }: DocumentedSection): string {
  const title = TITLES[path] ?? path;
  const where = path === "" ? "" : `\n\`${path}\`\n`;
  const rows = keys.map(({ name, type, fallback, required, meaning }) => {
    const left = required ? "(must be there)" : fallback === null ? "" : fallback;
    return [`\`${name}\``, type, left, meaning];
  });
  return `## ${title}\n${where}\n${table(["key", "type", "default", "meaning"], rows)}`;
}

function configurationPage(): string {
  return `${NOTE}

# Configuration

\`weir serve FILE\` runs a configuration and \`weir check FILE\` only reads it and says what is wrong, all at once (of many the
first 20; \`--all\` shows each). Without
\`FILE\` the first of \`weir.config.ts\`, \`.js\`, \`.mjs\`, \`.yaml\`, \`.yml\`, \`.json\` and \`.toml\` in the working folder is
taken. All forms have the same keys; \`schema/weir.schema.json\` is their JSON Schema, for completion in editors.

\`\`\`ts
import { defineConfig } from "weir";

export default defineConfig({
  listeners: {
    web: { address: ":8080", routes: [{ host: "api.example.com", path: "/v1/*", pool: "api" }, { pool: "app" }] },
    db: { address: ":5432", mode: "tcp", pool: "postgres" },
  },
  pools: {
    app: { backends: ["127.0.0.1:8001", { address: "127.0.0.1:8002", weight: 2 }] },
    api: { policy: "least-connections", backends: ["10.0.0.1:9000"], timeouts: { response: "5m" } },
    postgres: { backends: ["10.0.0.5:5432", "10.0.0.6:5432"] },
  },
});
\`\`\`

\`\`\`yaml
# yaml-language-server: $schema=./schema/weir.schema.json
listeners:
  web:
    address: ":8080"
    routes:
      - { host: "*.example.com", path: "/v1/*", pool: app } # quoted, because * begins an alias in YAML
      - { pool: app }
pools:
  app:
    backends: ["127.0.0.1:8001", "127.0.0.1:8002,weight=2"]
\`\`\`

## Forms

- **Duration**: a number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\` (\`250ms\`, \`1.5s\`, \`1h\`), or a plain number of milliseconds.
- **Size**: a number with \`KiB\`, \`MiB\`, \`GiB\` (powers of 1024) or \`KB\`, \`MB\`, \`GB\` (powers of 1000), or a plain number of bytes.
- **Address**: \`host:port\`, \`:port\`, \`[ipv6]:port\`, \`http://host:port\` or \`unix:/path\`. To listen on, \`:8080\` is every
  interface and port 0 lets the system choose; as a backend, \`:8001\` is \`127.0.0.1:8001\`.
- **Names** of listeners and pools have 1 to 64 letters, digits, \`_\`, \`-\` and \`.\`, and begin with a letter, a digit or \`_\`.

Timeouts and limits may stand at the top level, on a listener, on a pool and on a route. Each key is taken from the nearest
place that has it: the route, then its pool, then its listener, then the top level, then the default.

${documentedSections().map(sectionText).join("\n\n")}
`;
}

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, row]) => [
    // Problem documents of the admin API lead here.
    `<a id="${code.toLowerCase()}"></a>\`${code}\``,
    row.source,
    row.status === 0 ? "–" : String(row.status),
    row.proxyStatus === "" ? "–" : `\`${row.proxyStatus}\``,
    row.retry ? "yes" : "no",
    row.meaning,
    row.mend,
  ]);
  return `${NOTE}

# Errors

Every error of Weir has a code of this table. **Fault** is whose it is: of the client, of the backend, of Weir itself, of the
configuration or of the system. **Status** is what the client is answered, and **Proxy-Status** the error type of RFC 9209 in
that answer. **Retry** tells whether the attempt is repeated on another
backend by default, where no byte of the request was sent; [resilience.md](resilience.md) tells what else can be.

${table(["code", "fault", "status", "Proxy-Status", "retry", "meaning", "mend"], rows)}
`;
}

function metricsPage(): string {
  const rows = FAMILIES.map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(", "),
    help,
  ]);
  return `${NOTE}

# Metrics

\`GET /metrics\` on the admin address answers in the text format of Prometheus (0.0.4). Everything in it is read by the supervisor from memory that it
shares with the workers, and from \`/proc\`: no worker is asked, so a scrape costs them nothing, and a worker that hangs does not hold it up.

\`\`\`yaml
scrape_configs:
  - job_name: weir
    static_configs: [{ targets: ["127.0.0.1:9900"] }]
\`\`\`

[examples/grafana/weir.json](../examples/grafana/weir.json) is a dashboard to import, and
[examples/prometheus/alerts.yaml](../examples/prometheus/alerts.yaml) a file of alert rules.

- **Labels** have as many values as the configuration has names: \`listener\`, \`pool\`, \`backend\` (its address), \`worker\`, \`process\`; \`code\` is the class of
  a status (\`2xx\`) or a code of [errors.md](errors.md). Nothing that a client sends becomes a label.
- **Counters** are over all workers and only rise: what a worker had counted before it died stays. They begin again from 0 when Weir
  is started anew or upgraded. Reloads leave them as they are; those of a backend, a pool or a listener that is removed end with it.
- **Three places to look.** A listener counts what clients see. A pool's histograms have each request once, with its waiting and all its attempts: the time that a
  client waits. A backend's have each attempt, from when it was begun: the time that is the backend's. An attempt that was made
  good by another one is an error of its backend and none of the listener.
- **Histograms** are in seconds. The bounds are powers of two of a microsecond, since these are edges of the finer buckets that Weir keeps, so
  nothing is guessed: ${BOUNDS.join(", ")}. What takes exactly as long as a bound is counted above it. Of a request that becomes
  a tunnel (101) the response ends with its head; TCP connections are only in the histogram of connecting.
- **How many**: each backend has some 95 lines, 8 KB, and each pool 60. With thousands of backends leave histograms of backends out where they are stored
  (\`metric_relabel_configs\`: drop \`weir_backend_.*_bucket\`), or do not ask for them: \`/metrics?exclude[]=weir_backend_request_duration_seconds\`, and so
  on for each family, or \`params: { "exclude[]": […] }\` in the scrape. Those of the pools remain.

${table(["name", "type", "labels", "meaning"], rows)}
`;
}

async function formatted(file: string, text: string): Promise<string> {
  const format = Bun.spawn([process.execPath, "fmt", `--stdin-filepath=${file}`], {
    cwd: ROOT,
    stdin: new Blob([text]),
    stderr: "inherit",
  });
  const output = await new Response(format.stdout).text();
  if ((await format.exited) !== 0) throw new Error(`the formatter failed on ${file}`);
  return output;
}

const checking = process.argv.includes("--check");
let differing = 0;
for (const [file, content] of Object.entries(FILES)) {
  const target = Bun.file(join(ROOT, file));
  const text = await formatted(file, content());
  if ((await target.exists()) && (await target.text()) === text) continue;
  differing += 1;
  if (checking) console.error(`${file} is not up to date: run node_modules/.bin/bun scripts/generate.ts`);
  else await target.write(text);
  if (!checking) console.log(`wrote ${file}`);
}
if (checking && differing > 0) process.exitCode = 1;
