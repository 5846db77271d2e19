/** Rows as lines for the terminal: the first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  return padded(rows).map((row) => `  ${row.join("  ")}`.trimEnd());
}

/** Rows as a Markdown table, the first of them its header. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const [header = [], ...others] = padded(rows);
  const rule = header.map((cell, column) =>
    column === 0 ? "-".repeat(cell.length) : `${"-".repeat(Math.max(1, cell.length - 1))}:`,
  );
  return [header, rule, ...others].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** A number with so many digits after the point, thousands set apart. */
export function number(value: number, digits: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function padded(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(Math.max(3, widths[column] ?? 0)),
    ),
  );
}
