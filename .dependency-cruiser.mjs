// The layers of docs/architecture.md, from the top: a file may import from its own layer and from those below.
const layers = [
  ["sim/"],
  ["src/cli/", "src/index.ts"],
  ["src/admin/"],
  ["src/process/"],
  ["src/engine/"],
  ["src/probe/"],
  ["src/config/"],
  ["src/route/"],
  ["src/proxy/"],
  ["src/http1/"],
  ["src/http/"],
  ["src/net/"],
  ["src/pool/"],
  ["src/balance/"],
  ["src/observe/"],
  ["src/[a-z-]+\\.ts"],
];

const test = "\\.test\\.ts$";
const top = (paths) => `^(${paths.join("|")})`;

const downward = layers.slice(1).map((paths, index) => ({
  name: `nothing-below-imports-${layers[index][0]}`,
  severity: "error",
  comment: "Arrows point down only.",
  from: {
    path: layers.slice(index + 1).map((lower) => (lower[0].includes("[") ? "^src/(?!index)[a-z-]+\\.ts$" : top(lower))),
    pathNot: test,
  },
  to: { path: top(layers[index]), pathNot: "fixture" },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...downward,
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "pure",
      severity: "error",
      comment: "Decisions are plain data in, data out: they import nothing of the system.",
      from: { path: "^src/(balance|pool)/", pathNot: [test, "/fake-"] },
      to: { dependencyTypes: ["core", "npm"] },
    },
    {
      name: "ffi-in-one-place",
      severity: "error",
      comment: "bun:ffi is used by one file.",
      from: { path: "^src/", pathNot: "^src/net/libc\\.ts$" },
      to: { path: "bun:ffi" },
    },
    {
      name: "not-to-tests",
      severity: "error",
      from: { path: "^src/", pathNot: [test, "/fake-"] },
      to: { path: ["^test/", "^bench/", "^sim/", "^chaos/", test] },
    },
    {
      name: "chaos-from-outside",
      severity: "error",
      comment: "What is tried by its processes is not looked into.",
      from: { path: "^chaos/" },
      to: { path: ["^src/", "^sim/"] },
    },
    {
      name: "production-dependencies",
      severity: "error",
      comment: "What src/ needs at run time stands in `dependencies`.",
      from: { path: "^src/", pathNot: [test, "/fake-"] },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js", ".json"] },
    builtInModules: { add: ["bun", "bun:test", "bun:ffi"] },
  },
};
