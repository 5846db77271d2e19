const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

let isoSecond = -1;
let isoText = "";
let clfSecond = -1;
let clfText = "";

/** A time of day up to its second as ISO 8601 has it: `2026-01-02T12:03:04`. UTC. Made once a second. */
export function isoSeconds(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoText = new Date(second * 1000).toISOString().slice(0, 19);
  }
  return isoText;
}

/** A time of day as the common log format has it: `02/Jan/2026:12:03:04 +0000`. UTC. Made once a second. */
export function clfTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== clfSecond) {
    clfSecond = second;
    const iso = new Date(second * 1000).toISOString();
    clfText = `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  }
  return clfText;
}
