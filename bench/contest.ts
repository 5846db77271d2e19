import type { Tallied } from "./tally.ts";
import type { Proxy } from "./proxy.ts";

/** One row of a contest: a proxy set up in one way. */
export interface Entry {
  readonly title: string;
  readonly proxy: Proxy;
}

/** A request's way through backends whose speed is set by timers, and the load on them. */
export interface Course {
  /** Requests that a backend works on at a time. */
  readonly slots: number;
  /** For each backend the time that it works on a request, milliseconds. */
  readonly serviceMs: readonly number[];
  /** Requests a second that are offered, at moments of their own (open loop). */
  readonly rate: number;
  /** When the client gives a request up, milliseconds from when it was due. */
  readonly deadlineMs: number;
  /** Load that is not measured yet: the process warms up, policies learn, queues fill. */
  readonly leadMs: number;
  readonly measuredMs: number;
}

/** One column of a contest's table. */
export interface Column {
  readonly title: string;
  readonly digits: number;
  of(tallied: Tallied, course: Course): number;
}

/**
 * A comparison of ways to balance, one a row, where waiting decides and not processor time.
 *
 * So one longer round is enough, rows may run side by side, and figures hold on a machine that does other work
 * too, as long as it is never late; whether it was is measured and printed with the table.
 */
export interface Contest {
  readonly name: string;
  readonly title: string;
  readonly course: Course;
  readonly columns: readonly Column[];
  readonly entries: readonly Entry[];
  /** Rows that run at a time, each with a proxy process and backends of its own. */
  readonly atOnce: number;
}
