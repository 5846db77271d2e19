import { describe, expect, test } from "bun:test";
import { readExposition } from "../../../test/fixtures/exposition.ts";
import { lint } from "../../../test/fixtures/exposition-lint.ts";

const described = (name: string, type: string, ...lines: string[]): string =>
  `# HELP ${name} What it is.\n# TYPE ${name} ${type}\n${lines.map((line) => `${line}\n`).join("")}`;

describe("the reader of metrics", () => {
  test("reads names, labels, escapes and numbers", () => {
    const text = `# HELP a_b Back\\\\slash and\\nline.\n# TYPE a_b gauge\na_b{x="q\\"\\\\\\n",y=""} +Inf\na_b 1e-05\n`;
    expect(readExposition(text)).toEqual([
      {
        name: "a_b",
        type: "gauge",
        help: "Back\\slash and\nline.",
        samples: [
          { name: "a_b", labels: { x: 'q"\\\n', y: "" }, value: Number.POSITIVE_INFINITY },
          { name: "a_b", labels: {}, value: 0.00001 },
        ],
      },
    ]);
  });

  test.each([
    ["no line feed at the end", described("a", "gauge", "a 1").trimEnd()],
    ["a carriage return", described("a", "gauge", "a 1\r")],
    ["a sample before its type", "a 1\n"],
    ["a type without help", "# TYPE a gauge\na 1\n"],
    ["help without a type", "# HELP a text\na 1\n"],
    ["a name twice", described("a", "gauge", "a 1") + described("a", "gauge", 'a{x="1"} 1')],
    ["a sample twice", described("a", "gauge", 'a{x="1",y="2"} 1', 'a{y="2",x="1"} 1')],
    ["a label twice", described("a", "gauge", 'a{x="1",x="2"} 1')],
    ["a sample of another name", described("a", "gauge", "b 1")],
    ["a sample of a histogram without its ending", described("a", "histogram", "a 1")],
    ["a quote that is not escaped", described("a", "gauge", 'a{x="a"b"} 1')],
    ["an escape that there is not", described("a", "gauge", 'a{x="\\t"} 1')],
    ["a line in a value", described("a", "gauge", 'a{x="', '"} 1')],
    ["no number", described("a", "gauge", "a one")],
    ["something behind the number", described("a", "gauge", "a 1 x")],
    ["a name that may not be", described("a", "gauge", "0a 1")],
    ["an unknown type", described("a", "timer", "a 1")],
    ["an empty line", described("a", "gauge", "a 1", "")],
  ])("refuses %s", (_, text) => {
    expect(() => readExposition(text)).toThrow();
  });

  const histogram = (...lines: string[]): string => described("a_seconds", "histogram", ...lines);
  test.each([
    ["a counter without _total", described("a", "counter", "a 1")],
    ["a gauge with _total", described("a_total", "gauge", "a_total 1")],
    ["a gauge that looks like a histogram's", described("a_count", "gauge", "a_count 1")],
    ["milliseconds", described("a_milliseconds", "gauge", "a_milliseconds 1")],
    ["an abbreviation", described("a_ms", "gauge", "a_ms 1")],
    ["camelCase", described("aB", "gauge", "aB 1")],
    ["camelCase of a label", described("a", "gauge", 'a{bC="1"} 1')],
    ["a unit in the middle", described("a_seconds_b", "gauge", "a_seconds_b 1")],
    ["the type in the name", described("a_gauge", "gauge", "a_gauge 1")],
    ["a colon", described("a:b", "gauge", "a:b 1")],
    ["no help", "# HELP a \n# TYPE a gauge\na 1\n"],
    ["le of a gauge", described("a", "gauge", 'a{le="1"} 1')],
    ["a counter below 0", described("a_total", "counter", "a_total -1")],
    ["labels of other names", described("a", "gauge", 'a{b="1"} 1', "a 1")],
    ["no +Inf", histogram('a_seconds_bucket{le="1"} 1', "a_seconds_sum 1", "a_seconds_count 1")],
    ["another count", histogram('a_seconds_bucket{le="+Inf"} 1', "a_seconds_sum 1", "a_seconds_count 2")],
    ["no sum", histogram('a_seconds_bucket{le="+Inf"} 1', "a_seconds_count 1")],
    [
      "bounds that descend",
      histogram(
        'a_seconds_bucket{le="2"} 1',
        'a_seconds_bucket{le="1"} 1',
        'a_seconds_bucket{le="+Inf"} 1',
        "a_seconds_sum 1",
        "a_seconds_count 1",
      ),
    ],
    [
      "buckets that fall",
      histogram('a_seconds_bucket{le="1"} 2', 'a_seconds_bucket{le="+Inf"} 1', "a_seconds_sum 1", "a_seconds_count 1"),
    ],
    [
      "a sum that is too small",
      histogram('a_seconds_bucket{le="1"} 0', 'a_seconds_bucket{le="+Inf"} 2', "a_seconds_sum 1", "a_seconds_count 2"),
    ],
  ])("says something against %s", (_, text) => {
    expect(lint(readExposition(text))).not.toEqual([]);
  });

  test("says nothing against what is right", () => {
    const text =
      described("a_total", "counter", 'a_total{b="x"} 1', 'a_total{b="y"} 0') +
      histogram('a_seconds_bucket{le="1"} 1', 'a_seconds_bucket{le="+Inf"} 2', "a_seconds_sum 3", "a_seconds_count 2");
    expect(lint(readExposition(text))).toEqual([]);
  });
});
