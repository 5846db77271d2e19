import { table } from "./command.ts";

/** The help text of the whole program. */
export const HELP: string = [
  "Weir, a load balancer for TCP and HTTP",
  "",
  "Usage",
  ...table([
    ["weir serve --listen ADDR --to ADDR …", "balance over the addresses given"],
    ["weir serve [FILE]", "balance as a configuration file says"],
    ["weir check [FILE]", "find everything that is wrong with a configuration file"],
    ["weir demo", "see it work: three backends and Weir on port 8080"],
    ["weir COMMAND --help", "everything about a command"],
    ["weir --version", "its version"],
  ]),
].join("\n");
