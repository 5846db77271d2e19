import { changeText, type Edit, type Overlay } from "./overlay.ts";
import type { Problem } from "../files/problems.ts";

/** More edits than these are not named: whoever mends them finds the next. */
const MOST_NAMED = 5;

/**
 * The edits that a configuration does not go together with: good without any edit, and good again without these. At most five; reads it a few
 * times for each, by halving.
 * @param isGood whether the configuration is good with some of them, in their order
 */
export async function contradicting(
  edits: Overlay,
  isGood: (edits: Overlay) => Promise<boolean>,
): Promise<readonly Edit[]> {
  const found: Edit[] = [];
  let left = edits;
  while (found.length < MOST_NAMED && left.length > 0 && !(await isGood(left))) {
    // Good with so many of the first, and wrong with so many.
    let [good, wrong] = [0, left.length];
    while (wrong - good > 1) {
      const middle = (good + wrong) >> 1;
      if (await isGood(left.slice(0, middle))) good = middle;
      else wrong = middle;
    }
    found.push(...left.slice(good, wrong));
    left = left.toSpliced(good, 1);
  }
  return found;
}

/** Adds to problems of a configuration that is good without its edits which of them are to blame, where they are kept, and how to take them back. */
export function blaming(problems: readonly Problem[], edits: readonly Edit[], file: string): readonly Problem[] {
  const kept = edits.some(({ persist }) => persist);
  const named = edits.map((edit) => `"${changeText(edit.change)}"${edit.persist ? "" : " (for now)"}`);
  const undo = edits.map((edit) => `\`${undoText(edit)}\``).join(", ");
  const out = kept ? `; or, with no Weir running, out of ${file}` : "";
  const where = kept ? `, kept in ${file},` : "";
  const why =
    edits.length === 0
      ? `The file is good without the run-time edits in ${file}.`
      : `The file is good without the run-time edit ${named.join(", ")}${where} which contradicts it: take that back (${undo}${out}), or write into the file what it needs.`;
  return problems.map((problem) => ({ ...problem, mend: `${problem.mend} ${why}` }));
}

/** What takes an edit back: a command, or a request to the admin API. */
function undoText({ change, persist }: Edit): string {
  const flag = persist ? " --persist" : "";
  const query = persist ? "?persist=true" : "";
  const encoded = encodeURIComponent;
  switch (change.kind) {
    case "backend-state":
      return `weir ready ${change.pool}/${change.backend}${flag}`;
    case "backend-weight":
      return `weir weight ${change.pool}/${change.backend} WEIGHT${flag}`;
    case "backend-add":
      return `weir remove ${change.pool}/${change.backend}${flag}`;
    case "backend-remove":
      return `weir add ${change.pool}/${change.backend}${flag}`;
    case "pool-put":
      return `DELETE /v1/pools/${encoded(change.pool)}${query}`;
    case "pool-remove":
      return `PUT /v1/pools/${encoded(change.pool)}`;
    case "route-put":
      return `DELETE /v1/routes/${encoded(`${change.listener}:${change.route}`)}${query}`;
    case "route-remove":
      return "POST /v1/routes";
  }
}
