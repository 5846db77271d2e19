/** Fields that Weir looks at; all others are `other` and pass untouched. */
export const FIELD = {
  other: 0,
  connection: 1,
  contentLength: 2,
  date: 3,
  expect: 4,
  forwarded: 5,
  host: 6,
  keepAlive: 7,
  proxyConnection: 8,
  te: 9,
  transferEncoding: 10,
  upgrade: 11,
  via: 12,
  xForwardedFor: 13,
  xForwardedHost: 14,
  xForwardedProto: 15,
  http2Settings: 16,
  weirState: 17,
  maxForwards: 18,
  /** Any name with an underscore: many servers cannot tell it from the same name with a hyphen. */
  underscored: 19,
  weirExplain: 21,
  /** Weir writes its own in its place. */
  replaced: 20,
} as const;

/** Which of the known fields a field is. */
export type FieldKind = (typeof FIELD)[keyof typeof FIELD];

interface Known {
  readonly name: Buffer;
  readonly kind: FieldKind;
}

const NAMES: Readonly<Record<string, FieldKind>> = {
  connection: FIELD.connection,
  "content-length": FIELD.contentLength,
  date: FIELD.date,
  expect: FIELD.expect,
  forwarded: FIELD.forwarded,
  host: FIELD.host,
  "keep-alive": FIELD.keepAlive,
  "proxy-connection": FIELD.proxyConnection,
  te: FIELD.te,
  "transfer-encoding": FIELD.transferEncoding,
  upgrade: FIELD.upgrade,
  via: FIELD.via,
  "x-forwarded-for": FIELD.xForwardedFor,
  "x-forwarded-host": FIELD.xForwardedHost,
  "x-forwarded-proto": FIELD.xForwardedProto,
  "http2-settings": FIELD.http2Settings,
  "weir-state": FIELD.weirState,
  "max-forwards": FIELD.maxForwards,
  "weir-explain": FIELD.weirExplain,
};

const LONGEST = Math.max(...Object.keys(NAMES).map((name) => name.length));

/** Known names by their length: a name of another length is compared with none. */
const BY_LENGTH: readonly (readonly Known[])[] = Array.from({ length: LONGEST + 1 }, (_, length) =>
  Object.entries(NAMES)
    .filter(([name]) => name.length === length)
    .map(([name, kind]) => ({ name: Buffer.from(name), kind })),
);

/** Which field a name is, whatever its case. Compares at most three names of that length. */
export function fieldKind(bytes: Buffer, start: number, end: number): FieldKind {
  const length = end - start;
  if (length > LONGEST) return FIELD.other;
  const known = BY_LENGTH[length]!;
  for (let i = 0; i < known.length; i++) {
    const candidate = known[i]!;
    if (equalsLower(bytes, start, candidate.name)) return candidate.kind;
  }
  return FIELD.other;
}

/** Whether the bytes from `start` are the given lower-case name, whatever their case. Names hold letters, digits and hyphens. */
export function equalsLower(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) {
    // Bit 0x20 turns capitals into small letters, and leaves digits and hyphens.
    if ((bytes[start + i]! | 0x20) !== name[i]) return false;
  }
  return true;
}
