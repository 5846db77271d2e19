import { readdirSync, readFileSync } from "node:fs";

/** A request as it was plainly sent: method, target, body. */
export type Plain = readonly [method: string, target: string, body: string];

/** What a client sends, and what may come of it. */
export interface SmugglingCase {
  readonly name: string;
  /** Paper, CVE or clause that its class comes from. */
  readonly source: string;
  /** As latin1 text. */
  readonly bytes: string;
  /** The requests that a backend sees, in this order and no others. */
  readonly forwarded: readonly Plain[];
  /**
   * What follows them: a status and the end of the connection, the end alone (`closed`), a connection ready for another
   * request (`open`), or nothing, since part of a request is still to come (`waits`).
   */
  readonly after: number | "open" | "closed" | "waits";
}

const FOLDER = `${import.meta.dir}/smuggling`;

/** All cases by their class, one file each. */
export const smugglingCases: readonly (readonly [string, readonly SmugglingCase[]])[] = readdirSync(FOLDER)
  .sort()
  .map((file) => {
    const { class: kind, cases } = JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8")) as {
      readonly class: string;
      readonly cases: readonly SmugglingCase[];
    };
    return [kind, cases] as const;
  });
