import { ERRORS, EXCHANGE_ERROR_CODES } from "../../src/errors.ts";
import { COLUMN, type Column, errorColumn } from "../../src/observe/columns.ts";
import type { Ledger } from "../ledger.ts";
import type { SimNetwork } from "../network/network.ts";
import type { Setting } from "../setting.ts";
import type { Weir } from "../weir.ts";
import type { World } from "../world.ts";

/** What is added up. */
export interface Sums {
  readonly world: World;
  readonly network: SimNetwork;
  readonly ledger: Ledger;
  readonly setting: Setting;
  readonly weir: Weir;
}

/** The counters say what happened: they are held against what clients and backends saw. */
export function checkCounters({ world, network, ledger, setting, weir }: Sums): void {
  const { counters } = weir.shared;
  const listener = weir.placement.listeners[0] ?? 0;
  const of = (row: number, column: Column): number => counters.total(row, COLUMN[column]);
  const errors = (row: number, code: (typeof EXCHANGE_ERROR_CODES)[number]): number =>
    counters.total(row, errorColumn(code));
  const sum = (column: Column): number => [...weir.rows.values()].reduce((all, row) => all + of(row, column), 0);
  const must = (holds: boolean, what: string): void => {
    if (!holds) world.violate(`the counters do not add up: ${what}`);
  };
  const accepted = of(listener, "connections");
  must(accepted === network.accepted, `${accepted} connections, ${network.accepted} accepted`);
  const dialled = sum("connections");
  must(dialled <= network.opened, `${dialled} connections to backends, ${network.opened} were opened`);
  if (setting.mode === "tcp") return;
  const requests = of(listener, "requests");
  const finals =
    of(listener, "responses2xx") +
    of(listener, "responses3xx") +
    of(listener, "responses4xx") +
    of(listener, "responses5xx");
  // An exchange ends with a final response, or without one because its client is gone or Weir ends.
  const unanswered = EXCHANGE_ERROR_CODES.filter((code) => ERRORS[code].status === 0).reduce(
    (all, code) => all + errors(listener, code),
    0,
  );
  must(finals <= requests, `${finals} final responses to ${requests} requests`);
  // What a backend babbles may be an upgrade too.
  const { babbles } = setting.backendFaults;
  const upgraded = ledger.executed.filter(({ status }) => status === 101 || (status === 0 && babbles > 0)).length;
  must(
    requests <= finals + unanswered + upgraded,
    `${requests} requests, ${finals} final responses, ${upgraded} upgrades and ${unanswered} without either`,
  );
  for (const [code, seen] of ledger.codes) {
    const known = EXCHANGE_ERROR_CODES.find((each) => each === code);
    must(known !== undefined && seen <= errors(listener, known), `clients saw ${code} ${seen} times`);
  }
  const attempts = sum("requests");
  const seen = ledger.executed.filter(({ stray }) => !stray).length;
  must(seen <= attempts, `backends saw ${seen} requests, ${attempts} were sent`);
  const answered = [...ledger.asked.values()].filter(({ outcome }) => outcome === "answered").length;
  must(answered <= finals + upgraded, `${answered} requests were answered, ${finals} responses counted`);
}
