// Writes what is derived from the source: the JSON Schema of the configuration and two pages of the documentation.
// `--check` writes nothing and exits with 1 where a file differs from what would be written.
import { join } from "node:path";
import { jsonSchema } from "../src/config/json-schema.ts";
import { documentedSections } from "../src/config/keys.ts";
import type { DocumentedSection } from "../src/config/keys.ts";
import { ERRORS } from "../src/errors.ts";

const ROOT = join(import.meta.dir, "..");
const NOTE = "<!-- Written by scripts/generate.ts: change the source it reads, then run it. -->";

/** The files and their content, before formatting. */
const FILES: Readonly<Record<string, () => string>> = {
  "schema/weir.schema.json": () => JSON.stringify(jsonSchema()),
  "docs/configuration.md": configurationPage,
  "docs/errors.md": errorsPage,
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
  admin: "Admin",
  shutdown: "Shutdown",
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

\`weir serve FILE\` runs a configuration and \`weir check FILE\` only reads it and says what is wrong, all at once. Without
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
    `\`${code}\``,
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
