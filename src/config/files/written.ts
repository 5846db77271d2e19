// For tests: one configuration written in every format that Weir reads, each part of it on a line of its own.

/** The endings of the formats. */
export const FORMATS = ["ts", "yaml", "json", "toml"] as const;

/** Writes a configuration in a format; sections over lines, the elements of a list one a line. */
export function written(config: object, format: (typeof FORMATS)[number]): string {
  switch (format) {
    case "ts":
      return `const config = ${inBraces(config, "")};\n\nexport default config satisfies object;\n`;
    case "json":
      return `${inBraces(config, "")}\n`;
    case "yaml":
      return inYaml(config, "");
    case "toml":
      return inToml(config, []);
  }
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inBraces(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return value.length === 0
      ? "[]"
      : `[\n${value.map((item) => inner + JSON.stringify(item)).join(",\n")}\n${indent}]`;
  }
  if (!isSection(value)) return JSON.stringify(value);
  const lines = Object.entries(value).map(
    ([name, child]) => `${inner}${JSON.stringify(name)}: ${inBraces(child, inner)}`,
  );
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
}

function inYaml(section: object, indent: string): string {
  let text = "";
  for (const [name, value] of Object.entries(section)) {
    const filled = typeof value === "object" && value !== null && Object.keys(value).length > 0;
    if (!filled) text += `${indent}${name}: ${JSON.stringify(value)}\n`;
    else if (Array.isArray(value))
      text += `${indent}${name}:\n${value.map((item) => `${indent}  - ${JSON.stringify(item)}\n`).join("")}`;
    else text += `${indent}${name}:\n${inYaml(value as object, `${indent}  `)}`;
  }
  return text;
}

function inTomlLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inTomlLine).join(", ")}]`;
  if (!isSection(value)) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([name, child]) => `${JSON.stringify(name)} = ${inTomlLine(child)}`)
    .join(", ")} }`;
}

function inToml(section: object, path: readonly string[]): string {
  let own = "";
  let tables = "";
  for (const [name, value] of Object.entries(section)) {
    if (isSection(value)) tables += inToml(value, [...path, name]);
    else if (Array.isArray(value)) own += `${name} = [\n${value.map((item) => `  ${inTomlLine(item)},\n`).join("")}]\n`;
    else own += `${name} = ${inTomlLine(value)}\n`;
  }
  const head = path.length === 0 ? "" : `[${path.map((name) => JSON.stringify(name)).join(".")}]\n`;
  return head + own + tables;
}
