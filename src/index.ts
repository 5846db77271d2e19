/** Weir as a library: `import { start } from "weir"`. The only file that re-exports. */
export { defineConfig } from "./config/schema/schema.ts";
export type { Config } from "./config/schema/schema.ts";
export { ERRORS, WeirError } from "./errors.ts";
export type { ErrorCode, ErrorSource } from "./errors.ts";
export type { Log, LogFields } from "./observe/log.ts";
export { start } from "./process/embed/embedded.ts";
export type { RunningListener, StartOptions, Weir } from "./process/embed/embedded.ts";
