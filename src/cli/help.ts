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
    ["weir explain [METHOD] URL", "say where a request goes, and why"],
    ["weir top", "watch a running Weir in the terminal; its dashboard is on the admin address"],
    ["weir demo", "see it work: three backends and Weir on port 8080"],
    ["weir status", "how it stands with the running Weir"],
    ["weir backends [POOL]", "its backends: state, load, latency"],
    ["weir drain POOL/BACKEND [--wait]", "give a backend no new work; `weir ready` undoes it"],
    ["weir maintenance POOL/BACKEND", "leave a backend alone"],
    ["weir weight POOL/BACKEND N", "set its share of the work"],
    ["weir add POOL/ADDR", "add a backend; `weir remove POOL/ADDR` removes one"],
    ["weir events", "what happens, as it happens"],
    ["weir reload [FILE] [--dry-run]", "bring a changed configuration into force"],
    ["weir upgrade", "start the program anew on the same sockets"],
    ["weir stop", "drain and end"],
    ["weir completion bash|zsh|fish", "completion for a shell"],
    ["weir COMMAND --help", "everything about a command"],
    ["weir --version", "its version"],
  ]),
].join("\n");
