/**
 * Faults on the real thing: kills, stops and deceives processes under a load that checks every body, and prints a row for each fault. Ends with
 * 1 where a request failed that its fault does not excuse, and after two minutes in any case.
 */
import { aligned } from "../bench/text-table.ts";
import { ACTS } from "./acts.ts";
import { type Played, play } from "./play.ts";
import { failures, type Tally } from "./tally.ts";

const HOLD_MS = 1500;
/** How often all of it is played, each time by a new Weir. */
const ROUNDS = 2;
const MOST_MS = 120_000;

// What was started ends with this process.
const late = setTimeout(() => {
  console.error("not done in two minutes");
  process.exit(1);
}, MOST_MS);

const HEADER = ["fault", "GET, PUT sent", "right", "failed", "POST sent", "right", "failed", "longest ms"];

function cells({ act, fault, tally: { idempotent, other } }: Played): readonly string[] {
  const counts = [idempotent, other].flatMap((count) => [count.sent, count.right, failures(count)]);
  const longestMs = Math.round(Math.max(idempotent.longestMs, other.longestMs));
  return [`${act}: ${fault}`, ...[...counts, longestMs].map(String)];
}

function reasons({ idempotent, other }: Tally): readonly string[] {
  const all = (what: string, failed: Readonly<Record<string, number>>): readonly string[] =>
    Object.entries(failed).map(([why, n]) => `${n} ${what}: ${why}`);
  return [...all("GET, PUT", idempotent.failed), ...all("POST", other.failed)];
}

const played: Played[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  for (const act of ACTS) {
    console.error(`${round} of ${ROUNDS}: ${act.name} …`);
    played.push(...(await play(act, HOLD_MS)));
  }
}
clearTimeout(late);
const [header = "", ...lines] = aligned([HEADER, ...played.map(cells)]);
console.log(header);
for (const [i, line] of lines.entries()) {
  console.log(line);
  const row = played[i];
  if (row === undefined) continue;
  for (const reason of reasons(row.tally)) console.log(`      ${reason}`);
  for (const wrong of row.wrong) console.log(`    ! ${wrong}`);
}
const wrong = played.filter((row) => row.wrong.length > 0).length;
console.log(`${played.length} faults, ${wrong} with failures that they do not excuse`);
process.exit(wrong === 0 ? 0 : 1);
