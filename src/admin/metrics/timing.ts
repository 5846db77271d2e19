import { CONNECT, DURATION, FIRST_BYTE } from "../../observe/columns.ts";
import type { Kind } from "./counted.ts";
import type { Family } from "./family.ts";

/** What the three histograms of a kind of thing say. */
interface Helps {
  readonly request: string;
  readonly firstByte: string;
  readonly connect: string;
}

/** The histograms of times of pools or of backends. */
export function timingFamilies({ prefix, labels, places }: Kind, helps: Helps): readonly Family[] {
  const family = (name: string, help: string, histogram: typeof DURATION): Family => ({
    name: `${prefix}_${name}_seconds`,
    type: "histogram",
    help,
    labels,
    histogram,
    samples: places,
  });
  return [
    family("request_duration", helps.request, DURATION),
    family("first_byte_duration", helps.firstByte, FIRST_BYTE),
    family("connect_duration", helps.connect, CONNECT),
  ];
}
