/** Whom Weir is compared with. */
export type Other = "llhttp" | "nginx" | "haproxy";

/** A reason for which Weir refuses what others take. */
export interface Stricter {
  /** In the words of Weir's parsers; behind … stands what differs from case to case. */
  readonly problem: string;
  /** The clause that demands or allows it. */
  readonly clause: string;
  /** Who takes some of it, in one version or another. */
  readonly others: readonly Other[];
}

/** What Weir forwards and another does not, or not so. */
export interface Laxer {
  readonly what: string;
  /** The clause by which it is right. */
  readonly clause: string;
  readonly other: Other;
  /** Whether a client's bytes are such a case. */
  readonly fits: (bytes: string) => boolean;
}

const BOTH = ["nginx", "haproxy"] as const;
const ALL = ["llhttp", "nginx", "haproxy"] as const;

/** What is refused by Weir and, at least in part, taken by others. */
export const STRICTER: readonly Stricter[] = [
  // Request lines
  { problem: "no method at the beginning", clause: "RFC 9112 §2.2: what may be ignored is an empty line", others: ALL },
  { problem: "a character that no target has", clause: "RFC 9112 §3.2, RFC 3986 §2", others: ALL },
  { problem: "no HTTP version after the target", clause: "RFC 9112 §3: HTTP/0.9 has none", others: ALL },
  { problem: "something after the HTTP version", clause: "RFC 9112 §3", others: ["nginx"] },
  { problem: "HTTP/…", clause: "RFC 9110 §2.5, §15.6.6: a version that is not spoken is a 505", others: ALL },
  {
    problem: "the target * with a method other than OPTIONS",
    clause: "RFC 9112 §3.2.4: only OPTIONS has it",
    others: ["llhttp", "haproxy"],
  },
  { problem: "a target that is neither a path nor an http URL", clause: "RFC 9110 §7.1", others: ALL },
  { problem: "a target whose host is no host", clause: "RFC 9110 §4.2.1, §4.2.4", others: ALL },
  { problem: "Max-Forwards is at 0", clause: "RFC 9110 §7.6.2", others: ALL },
  // Host
  { problem: "no Host field", clause: "RFC 9112 §3.2: a 400", others: ["haproxy"] },
  { problem: "Host twice", clause: "RFC 9112 §3.2: a 400", others: ["llhttp", "haproxy"] },
  { problem: "a Host that is no host", clause: "RFC 9112 §3.2: a 400", others: ALL },
  // Lines
  { problem: "a bare LF", clause: "RFC 9112 §2.2: a recipient may take it for a line end, and need not", others: BOTH },
  { problem: "a CR without LF", clause: "RFC 9112 §2.2: it is invalid", others: ["llhttp", "nginx"] },
  {
    problem: "a folded line (a line that begins with a space)",
    clause: "RFC 9112 §5.2: a server must refuse it, or replace it",
    others: ALL,
  },
  { problem: "a space before the colon of a field", clause: "RFC 9112 §5.1: a 400", others: BOTH },
  { problem: "a field without a name", clause: "RFC 9110 §5.1: a name is a token", others: BOTH },
  { problem: "a character that no field name has", clause: "RFC 9110 §5.1: a name is a token", others: BOTH },
  { problem: "a control character in a field's value", clause: "RFC 9110 §5.5", others: BOTH },
  { problem: "more than …", clause: "RFC 9110 §5.4: a server must answer with a 4xx", others: ["llhttp", "nginx"] },
  { problem: "trailers larger than a head may be", clause: "RFC 9110 §5.4", others: ["nginx"] },
  // Framing
  {
    problem: "both Content-Length and Transfer-Encoding",
    clause: "RFC 9112 §6.1, §6.3: a server may refuse it",
    others: ["haproxy"],
  },
  {
    problem: "Content-Length twice",
    clause: "RFC 9110 §8.6: equal values may be refused",
    others: ["haproxy"],
  },
  {
    problem: "a Content-Length that is no number",
    clause: "RFC 9110 §8.6: a list of equal values may be refused",
    others: ["haproxy"],
  },
  { problem: "an empty Content-Length", clause: "RFC 9110 §8.6: 1*DIGIT", others: ["haproxy"] },
  { problem: "Transfer-Encoding in HTTP/1.0", clause: "RFC 9112 §6.1: faulty framing", others: ["llhttp", "haproxy"] },
  { problem: "Transfer-Encoding twice", clause: "RFC 9112 §6.1: chunked is applied once", others: ["llhttp"] },
  {
    problem: "a Transfer-Encoding other than chunked",
    clause: "RFC 9112 §6.1: a 501 or 400",
    others: ["llhttp", "haproxy"],
  },
  // Chunks
  { problem: "a chunk size that is no hexadecimal number", clause: "RFC 9112 §7.1", others: BOTH },
  {
    problem: "a chunk size too large to be true",
    clause: "RFC 9112 §7.1: recipients must anticipate large numerals",
    others: ALL,
  },
  { problem: "a chunk longer than its size", clause: "RFC 9112 §7.1: CRLF ends the data", others: BOTH },
  { problem: "a chunk extension that is none", clause: "RFC 9112 §7.1.1: chunk-ext", others: ALL },
  {
    problem: "too long a chunk extension",
    clause: "RFC 9112 §7.1.1: a server ought to limit their length",
    others: ALL,
  },
];

/** The row of a refusal, by the words of Weir's parsers. */
export function stricterOf(problem: string): Stricter | undefined {
  return STRICTER.find((row) => {
    const [before = "", behind] = row.problem.split("…");
    return behind === undefined ? problem === before : problem.startsWith(before);
  });
}

/** The targets, and the methods, of what looks like a request line. */
function starts(bytes: string): readonly (readonly [method: string, target: string])[] {
  return [...bytes.matchAll(/(\S+) (\S+) HTTP\/1\.[01]\r\n/g)].map(([, method = "", target = ""]) => [method, target]);
}

/** What Weir forwards as it stands, and others do not. */
export const LAXER: readonly Laxer[] = [
  {
    what: "a method of other characters than capitals, - and _",
    clause: "RFC 9110 §9.1: a method is any token",
    other: "nginx",
    // Behind a body a method stands in the middle of a line: what is odd there is counted as part of it.
    fits: (bytes) => starts(bytes).some(([method]) => /[^A-Z_-]/.test(method)),
  },
  {
    what: "TRACE",
    clause: "RFC 9110 §9.3.8: whether it is answered is the origin's matter",
    other: "nginx",
    fits: (bytes) => bytes.startsWith("TRACE "),
  },
  {
    what: "OPTIONS *",
    clause: "RFC 9112 §3.2.4",
    other: "nginx",
    fits: (bytes) => bytes.startsWith("OPTIONS * "),
  },
  {
    what: "a % in the target without two digits behind it, and %00",
    clause: "RFC 9110 §7.1: a target is passed on as it came; RFC 3986 §2.1 binds who wrote it",
    other: "nginx",
    fits: (bytes) => starts(bytes).some(([, target]) => /%(?:00|(?![0-9a-f]{2}))/i.test(target)),
  },
  {
    what: "a path that leads above its root, as /../ does",
    clause: "RFC 9110 §7.7: a target is passed on as it came; its dots are the origin's matter",
    other: "nginx",
    fits: (bytes) =>
      starts(bytes).some(([, target]) => /^(?:https?:\/\/[^/]*)?\/(?:[^?]*\/)?\.\.(?:[/?]|$)/i.test(target)),
  },
  {
    what: "tabs around Host, Content-Length and Transfer-Encoding",
    clause: "RFC 9110 §5.5, §5.6.3: white space around a value is spaces and tabs",
    other: "nginx",
    fits: (bytes) => /^(?:host|content-length|transfer-encoding):(?:[ \t]*\t|.*\t[ \t]*\r$)/im.test(bytes),
  },
  {
    what: "Expect twice",
    clause: "RFC 9110 §10.1.1: it is a list",
    other: "nginx",
    fits: (bytes) => (bytes.match(/^expect:/gim)?.length ?? 0) > 1,
  },
  {
    what: "a Connection option in which the word close is but a part",
    clause: "RFC 9110 §7.6.1: an option is a token",
    other: "nginx",
    fits: (bytes) => /^connection:.*[^ \t,]close|^connection:.*close[^ \t,\r]/im.test(bytes),
  },
  {
    what: "an absolute target that differs from Host",
    clause: "RFC 9112 §3.2.2: Host is replaced by the host of the target",
    other: "haproxy",
    fits: (bytes) => starts(bytes).some(([, target]) => /^https?:\/\//i.test(target)),
  },
  {
    what: "a WebSocket handshake without a key, or from HTTP/1.0",
    clause: "RFC 6455 §4.2.1 binds the server; RFC 9110 §7.8: Upgrade of HTTP/1.0 is ignored",
    other: "haproxy",
    fits: (bytes) => /^upgrade:[ \t]*websocket/im.test(bytes),
  },
  {
    what: "a body of GET, HEAD or DELETE in HTTP/1.0",
    clause: "RFC 9112 §6: Content-Length tells of a body, whatever the method",
    other: "haproxy",
    fits: (bytes) => /^(?:GET|HEAD|DELETE) \S+ HTTP\/1\.0\r\n/.test(bytes) && /^content-length:/im.test(bytes),
  },
  {
    what: "white space in a chunk extension",
    clause: "RFC 9112 §7.1.1: BWS around the semicolon and the equals sign",
    other: "llhttp",
    fits: (bytes) => /\r\n[0-9a-f]+;[^\r\n]*[ \t]/i.test(bytes),
  },
  {
    what: "Content-Length among the trailers, which Weir drops",
    clause: "RFC 9110 §6.5.1: a framing field does not belong there; RFC 9112 §7.1.2: it may be dropped",
    other: "llhttp",
    fits: (bytes) => /\r\n0[^\r\n]*\r\n(?:.*\r\n)*content-length:/i.test(bytes),
  },
  {
    what: "a broken Content-Length or Transfer-Encoding among the trailers, which Weir drops",
    clause: "RFC 9110 §6.5.1: a framing field does not belong there; RFC 9112 §7.1.2: it may be dropped",
    other: "haproxy",
    fits: (bytes) => /\r\n0[^\r\n]*\r\n(?:.*\r\n)*content-length:/i.test(bytes),
  },
];
