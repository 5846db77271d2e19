import { fileURLToPath } from "node:url";

/** A file of the dashboard as it is sent. */
interface DashboardFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Nothing but this origin's own files and API: a name with markup in it could do nothing even if it were not escaped. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SOURCE = fileURLToPath(new URL("../../dashboard/index.html", import.meta.url));

/** Where its files are: at the top, beside `/`. */
const NAME = /^\/(index\.html|[\w-]+\.(js|css|svg))?$/;

let files: Promise<ReadonlyMap<string, DashboardFile>> | null = null;

/**
 * The files of the dashboard by their path, `/` the page itself; `null` for any other path. The one place where it is mounted: what is
 * answered here is for everybody who reaches the address, and so holds nothing of this Weir.
 *
 * The first call bundles the page from its source, some 20 ms and once; it is kept in memory. The names of all but `/` carry a hash of
 * what is in them, so that a browser keeps them for good.
 * @param known what the request says in `If-None-Match`
 */
export function dashboardFile(path: string, known: string | null = null): Promise<Response> | null {
  return NAME.test(path) ? answer(path, known) : null;
}

async function answer(path: string, known: string | null): Promise<Response> {
  files ??= built();
  const file = (await files).get(path === "/index.html" ? "/" : path);
  if (file === undefined) return new Response("not found\n", { status: 404 });
  const tag = file.headers["etag"] ?? "";
  const same = known !== null && known.split(",").some((each) => each.trim().replace(/^W\//, "") === tag);
  return same
    ? new Response(null, { status: 304, headers: file.headers })
    : new Response(file.body, { headers: file.headers });
}

async function built(): Promise<ReadonlyMap<string, DashboardFile>> {
  const { outputs } = await Bun.build({ entrypoints: [SOURCE], target: "browser", minify: true });
  const entries = await Promise.all(
    outputs.map(async (output): Promise<[string, DashboardFile]> => {
      const body = new Uint8Array(await output.arrayBuffer());
      const page = output.path.endsWith(".html");
      const headers = {
        "content-type": output.type,
        "cache-control": page ? "no-cache" : "public, max-age=31536000, immutable",
        "content-security-policy": POLICY,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        etag: `"${Bun.hash(body).toString(36)}"`,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      };
      return [page ? "/" : `/${output.path.replace(/^\.?\//, "")}`, { body, headers }];
    }),
  );
  return new Map(entries);
}
