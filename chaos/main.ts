/**
 * Weir on its own, under a load that checks every body: `faults` kills, stops and deceives processes and prints a row for each fault; `changes`
 * changes the configuration a hundred times under all kinds of clients, and those of other balancers beside it. Both without an argument.
 * Ends with 1 where a request of Weir failed that its fault does not excuse, or failed at all by a change; each part within two minutes.
 */
import { ACTS } from "./acts.ts";
import { haproxyReloads } from "./changes/haproxy.ts";
import { nginxReloads } from "./changes/nginx.ts";
import { type Changed, playChanges } from "./changes/play.ts";
import { changesTable, losses } from "./changes/table.ts";
import { weirReloads } from "./changes/weir.ts";
import { faultsTable } from "./faults-table.ts";
import { type Played, play } from "./play.ts";

const HOLD_MS = 1500;
/** How often all faults are played, each time by a new Weir. */
const ROUNDS = 2;
const CHANGES = 100;
const MOST_MS = 120_000;

async function faults(): Promise<boolean> {
  const played: Played[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const act of ACTS) {
      console.error(`${round} of ${ROUNDS}: ${act.name} …`);
      played.push(...(await play(act, HOLD_MS)));
    }
  }
  for (const line of faultsTable(played)) console.log(line);
  const wrong = played.filter((row) => row.wrong.length > 0).length;
  console.log(`${played.length} faults, ${wrong} with failures that they do not excuse`);
  return wrong === 0;
}

async function changes(): Promise<boolean> {
  const all: Changed[] = [];
  let lost: readonly string[] = [];
  for (const program of [weirReloads, haproxyReloads, nginxReloads]) {
    const missing = program.missing();
    if (missing !== null) {
      console.log(`without ${program.title}: ${missing}`);
      continue;
    }
    console.error(`${CHANGES} changes of ${program.title} …`);
    const changed = await playChanges(program, CHANGES);
    all.push(changed);
    if (program === weirReloads) lost = losses(changed);
  }
  for (const line of changesTable(all)) console.log(line);
  for (const text of lost) console.log(`    ! ${text}`);
  return lost.length === 0;
}

const PARTS: Readonly<Record<string, () => Promise<boolean>>> = { faults, changes };

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(PARTS, name));
if (unknown !== undefined) {
  console.error(`there is no part "${unknown}": ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
let well = true;
for (const [name, run] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  // What was started ends with this process.
  const late = setTimeout(() => {
    console.error(`${name}: not done in two minutes`);
    process.exit(1);
  }, MOST_MS);
  well = (await run()) && well;
  clearTimeout(late);
}
process.exit(well ? 0 : 1);
