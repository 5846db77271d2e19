/** Marks of a byte in `CHARS`, one bit each. */
export const TOKEN = 1;
export const VALUE = 2;
export const TARGET = 4;
export const HOST = 8;
export const HEX = 16;
/** What a name may hold, but for the underscore. */
export const NAME = 32;

/**
 * What a byte may be part of: a token (RFC 9110 §5.6.2), a field value (§5.5), a request target, a host with its port
 * (RFC 3986 §3.2), a chunk size, a field's name.
 */
export const CHARS: Uint8Array = new Uint8Array(256);

function mark(bit: number, text: string): void {
  for (const char of text) CHARS[char.charCodeAt(0)]! |= bit;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
mark(TOKEN | NAME, `${LETTERS}${DIGITS}!#$%&'*+-.^\`|~`);
mark(TOKEN, "_");
// reg-name, IP-literal and port: unreserved, percent-encoded, sub-delims, colon and brackets; no comma, though RFC 3986
// has it among the sub-delims: who reads X-Forwarded-Host as a list would find two hosts in one.
mark(HOST, `${LETTERS}${DIGITS}-._~%!$&'()*+;=:[]`);
mark(HEX, `${DIGITS}ABCDEFabcdef`);
CHARS[0x09]! |= VALUE;
for (let byte = 0x20; byte <= 0xff; byte++) if (byte !== 0x7f) CHARS[byte]! |= VALUE;
// Every visible character save "#": browsers send some that RFC 3986 would have escaped, and a fragment is never sent.
for (let byte = 0x21; byte <= 0x7e; byte++) if (byte !== 0x23) CHARS[byte]! |= TARGET;

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const UNDERSCORE = 0x5f;
