import manifest from "../package.json" with { type: "json" };

/** The version of Weir. */
export const VERSION: string = manifest.version;
