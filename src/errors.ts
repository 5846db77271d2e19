/** Whose fault an error is. `weir` means a limit or a defect of Weir itself. */
export type ErrorSource = "client" | "backend" | "weir" | "config" | "system";

interface ErrorRow {
  /** Whose fault it is. */
  readonly source: ErrorSource;
  /** Whether the same attempt may be repeated elsewhere when no byte of the request has been consumed. */
  readonly retry: boolean;
  /** HTTP status that the client sees; 0 where no response can be sent or the error is not about an exchange. */
  readonly status: number;
  /** Error type of RFC 9209 §2.3 for `Proxy-Status`; empty where none applies. */
  readonly proxyStatus: string;
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** How to mend it. */
  readonly mend: string;
}

function exchange(
  source: ErrorSource,
  status: number,
  proxyStatus: string,
  retry: boolean,
  meaning: string,
  mend: string,
): ErrorRow {
  return { source, retry, status, proxyStatus, meaning, mend };
}

function setup(source: ErrorSource, meaning: string, mend: string): ErrorRow {
  return { source, retry: false, status: 0, proxyStatus: "", meaning, mend };
}

/** A request to the admin API that is refused, or one that fails. */
function api(source: ErrorSource, status: number, meaning: string, mend: string): ErrorRow {
  return { source, retry: false, status, proxyStatus: "", meaning, mend };
}

/**
 * Every error code of Weir: the public table. `docs/errors.md` is generated from it and a test keeps them equal.
 * Codes of exchanges come first: their position is their row in the shared counters.
 */
export const ERRORS = {
  CLIENT_BAD_HEAD: exchange(
    "client",
    400,
    "http_request_error",
    false,
    "The request's head is not valid HTTP/1.1.",
    "Send a request that follows RFC 9112; the detail names the part that does not.",
  ),
  CLIENT_TLS_ON_PLAIN: exchange(
    "client",
    400,
    "tls_protocol_error",
    false,
    "The client began a TLS handshake on a listener that speaks plain HTTP.",
    "Use http:// for this port, or a listener with TLS.",
  ),
  CLIENT_AMBIGUOUS_FRAMING: exchange(
    "client",
    400,
    "http_request_error",
    false,
    "The request's body length can be read in more than one way.",
    "Send either one Content-Length or `Transfer-Encoding: chunked`, never both.",
  ),
  CLIENT_BAD_HOST: exchange(
    "client",
    400,
    "http_request_error",
    false,
    "The Host field is missing, repeated or not a valid host.",
    "Send exactly one valid Host field.",
  ),
  CLIENT_BAD_BODY: exchange(
    "client",
    400,
    "http_request_error",
    false,
    "The chunked framing of the request's body is broken.",
    "Send chunk sizes in hexadecimal, each chunk ended by CRLF.",
  ),
  CLIENT_HEAD_TIMEOUT: exchange(
    "client",
    408,
    "http_request_error",
    false,
    "The request's head was not complete within `timeouts.head`.",
    "Send the head faster, or raise `timeouts.head`.",
  ),
  CLIENT_BODY_TIMEOUT: exchange(
    "client",
    408,
    "http_request_error",
    false,
    "The request's body made no progress for `timeouts.body`.",
    "Send the body faster, or raise `timeouts.body`.",
  ),
  CLIENT_BODY_TOO_LARGE: exchange(
    "client",
    413,
    "http_request_error",
    false,
    "The request's body is larger than `limits.body`.",
    "Send less, or raise `limits.body`.",
  ),
  CLIENT_TARGET_TOO_LONG: exchange(
    "client",
    414,
    "http_request_error",
    false,
    "The request's target is longer than `limits.target`.",
    "Use a shorter URL, or raise `limits.target`.",
  ),
  CLIENT_HEAD_TOO_LARGE: exchange(
    "client",
    431,
    "http_request_error",
    false,
    "The request's head has more bytes than `limits.head` or more fields than `limits.fields`.",
    "Send fewer or smaller fields, or raise the limit.",
  ),
  CLIENT_CONNECT: exchange(
    "client",
    501,
    "http_request_error",
    false,
    "The method CONNECT asks for a forward proxy, which Weir is not.",
    "Use a listener with mode `tcp` to tunnel bytes.",
  ),
  CLIENT_VERSION: exchange(
    "client",
    505,
    "http_request_error",
    false,
    "The request's HTTP version is not 1.0 or 1.1.",
    "Speak HTTP/1.1.",
  ),
  CLIENT_GONE: exchange(
    "client",
    0,
    "",
    false,
    "The client closed its connection before the response was complete.",
    "Nothing to mend at Weir; the attempt at the backend was cancelled.",
  ),
  CLIENT_SLOW_READER: exchange(
    "client",
    0,
    "",
    false,
    "The client read nothing of the response for `timeouts.body`.",
    "Raise `timeouts.body` if readers as slow as this are wanted.",
  ),
  ROUTE_TIMEOUT: exchange(
    "weir",
    504,
    "http_response_timeout",
    false,
    "The request took longer than its route allows in all.",
    "Look at the backends, or raise `timeouts.total`.",
  ),
  ROUTE_NOT_FOUND: exchange(
    "client",
    404,
    "destination_not_found",
    false,
    "No route of the listener matches the request's host and path.",
    "Add a route, or one without `host` and `path` for everything else.",
  ),
  POOL_NO_BACKEND: exchange(
    "backend",
    503,
    "destination_unavailable",
    false,
    "No backend of the pool may take new work.",
    "Give at least one backend a weight above 0 and make it reachable.",
  ),
  POOL_FULL: exchange(
    "weir",
    503,
    "connection_limit_reached",
    false,
    "The pool and its backends have as much under way as their limits allow, and no more may wait.",
    "Add backends, or raise `maxConnections`, `maxInFlight` or `maxQueue` (docs/limits.md).",
  ),
  POOL_QUEUE_TIMEOUT: exchange(
    "weir",
    503,
    "connection_limit_reached",
    false,
    "No backend of the pool had room within `limits.queueTimeout`.",
    "Add backends, or raise their limits; a longer `limits.queueTimeout` only makes clients wait longer.",
  ),
  BACKEND_REFUSED: exchange(
    "backend",
    502,
    "connection_refused",
    true,
    "The backend refused the connection.",
    "Start the backend, or correct its address.",
  ),
  BACKEND_UNREACHABLE: exchange(
    "backend",
    502,
    "destination_ip_unroutable",
    true,
    "There is no way to the backend's address.",
    "Correct the address or the network.",
  ),
  BACKEND_NAME: exchange(
    "backend",
    502,
    "dns_error",
    true,
    "The backend's name does not resolve.",
    "Correct the name or the resolver.",
  ),
  BACKEND_CONNECT_TIMEOUT: exchange(
    "backend",
    504,
    "connection_timeout",
    true,
    "The backend did not accept the connection within `timeouts.connect`.",
    "Look at the backend's load and the network, or raise `timeouts.connect`.",
  ),
  BACKEND_ATTEMPT_TIMEOUT: exchange(
    "backend",
    504,
    "http_response_timeout",
    true,
    "The attempt took longer than one attempt may.",
    "Look at the backend, or raise `retry.perAttemptTimeout`.",
  ),
  BACKEND_RESET: exchange(
    "backend",
    502,
    "connection_terminated",
    true,
    "The backend closed the connection before it sent a response.",
    "Look at the backend's log: it crashed or refused the request.",
  ),
  BACKEND_BAD_RESPONSE: exchange(
    "backend",
    502,
    "http_protocol_error",
    false,
    "The backend's response is not valid HTTP/1.1.",
    "Mend the backend; the detail names the part that is not valid.",
  ),
  BACKEND_HEAD_TOO_LARGE: exchange(
    "backend",
    502,
    "http_response_header_section_size",
    false,
    "The response's head has more bytes than `limits.head` or more fields than `limits.fields`.",
    "Send fewer or smaller fields, or raise the limit.",
  ),
  BACKEND_RESPONSE_TIMEOUT: exchange(
    "backend",
    504,
    "http_response_timeout",
    false,
    "The backend sent no response head within `timeouts.response`.",
    "Look at the backend, or raise `timeouts.response`.",
  ),
  BACKEND_BODY_TIMEOUT: exchange(
    "backend",
    504,
    "connection_read_timeout",
    false,
    "The backend's response body made no progress for `timeouts.body`.",
    "Look at the backend, or raise `timeouts.body`.",
  ),
  BACKEND_SLOW_READER: exchange(
    "backend",
    504,
    "connection_write_timeout",
    false,
    "The backend read nothing of the request's body for `timeouts.body`.",
    "Look at the backend, or raise `timeouts.body`.",
  ),
  BACKEND_INCOMPLETE: exchange(
    "backend",
    502,
    "http_response_incomplete",
    false,
    "The backend's connection ended in the middle of a response.",
    "Look at the backend's log: it died or gave up.",
  ),
  BACKEND_REMOVED: exchange(
    "weir",
    502,
    "connection_terminated",
    true,
    "The backend was taken out of its pool, and had not answered when `drain.requests` ended.",
    "Raise `drain.requests`, or drain a backend before it is removed.",
  ),
  TUNNEL_IDLE: exchange(
    "client",
    0,
    "connection_limit_reached",
    false,
    "No byte passed in either direction for `timeouts.idle`, or nothing was taken for `timeouts.body` of what an end that is gone had left.",
    "Send keep-alive messages, or raise `timeouts.idle`.",
  ),
  WEIR_DRAINED: exchange(
    "weir",
    0,
    "proxy_internal_response",
    false,
    "The connection was still open when `shutdown.timeout` ended, or the drain of the listener or backend that was removed.",
    "Raise `shutdown.timeout`, or `drain.requests` and `drain.tunnels`.",
  ),
  CLIENT_TOO_MANY_CONNECTIONS: exchange(
    "client",
    0,
    "connection_limit_reached",
    false,
    "A client's address has as many connections as `limits.connectionsPerAddress` allows; one more was reset, or answered 503 (`limits.overLimit`).",
    "Raise `limits.connectionsPerAddress`, above all where many clients come from one address (docs/limits.md).",
  ),
  WEIR_NO_ROOM: exchange(
    "weir",
    0,
    "connection_limit_reached",
    false,
    "A worker has as many connections as its file descriptors or `limits.connections` allow, and accepts no more until some are closed, or turns them away (`limits.overLimit`).",
    "Raise `ulimit -n` or `limits.connections`, add workers, or lower `timeouts.keepAlive` (docs/limits.md).",
  ),
  WEIR_INTERNAL: exchange(
    "weir",
    500,
    "proxy_internal_error",
    false,
    "Weir itself failed.",
    "Report it with the log line.",
  ),

  CLI_USAGE: setup("config", "The command line is not understood.", "See `weir --help`."),
  CONFIG_FILE_MISSING: setup("config", "The configuration file does not exist.", "Correct the path."),
  CONFIG_FILE_UNREADABLE: setup("config", "The configuration file cannot be read.", "Correct its permissions."),
  CONFIG_FILE_FORMAT: setup(
    "config",
    "The file's ending names no known format.",
    "Use .ts, .js, .yaml, .yml, .json or .toml.",
  ),
  CONFIG_FILE_THREW: setup(
    "config",
    "The TypeScript configuration threw while it was loaded, or exports nothing.",
    "Mend the exception; export the configuration with `export default defineConfig({…})`.",
  ),
  CONFIG_SYNTAX: setup("config", "The file is not valid in its format.", "Mend the place named."),
  CONFIG_UNKNOWN_KEY: setup(
    "config",
    "There is no such key.",
    "Use the nearest key that is named, or see docs/configuration.md.",
  ),
  CONFIG_MISSING_KEY: setup("config", "A key that must be there is missing.", "Add the key."),
  CONFIG_BAD_VALUE: setup(
    "config",
    "A value has the wrong type or is out of range.",
    "Use a value of the form that is named.",
  ),
  CONFIG_BAD_ADDRESS: setup(
    "config",
    "An address or port is not valid.",
    "Use host:port, :port, [ipv6]:port, http://host:port or unix:/path.",
  ),
  CONFIG_BAD_WEIGHT: setup(
    "config",
    "A weight is negative or no whole number.",
    "Use a whole number from 0 to 65535; 0 takes no new work.",
  ),
  CONFIG_UNKNOWN_POOL: setup(
    "config",
    "A pool is named that is not defined.",
    "Define the pool under `pools`, or correct the name.",
  ),
  CONFIG_EMPTY_POOL: setup("config", "A pool has no backends.", "Give it at least one backend."),
  CONFIG_DUPLICATE_BACKEND: setup(
    "config",
    "One address stands twice in a pool.",
    "Remove one; use `weight` to send it more.",
  ),
  CONFIG_DUPLICATE_LISTENER: setup("config", "Two listeners have one address.", "Give each its own address or port."),
  CONFIG_DEAD_ROUTE: setup("config", "A route can never match.", "Remove it, or change what it matches."),
  PLAN_TOO_LARGE: setup(
    "config",
    "A configuration has more backends, listeners and pools than the running Weir has room for.",
    "Use `weir upgrade`, or start Weir anew: room is made for the configuration that it starts with.",
  ),
  CONFIG_NAME_UNRESOLVED: setup("config", "A name does not resolve.", "Correct the name or the resolver."),
  CONFIG_UNKNOWN_USER: setup(
    "config",
    "The system has no user or group of this name.",
    "Create it, or name another one, such as `nobody`.",
  ),
  LISTEN_IN_USE: setup(
    "system",
    "Another program already listens on the address.",
    "Stop that program, or choose another address.",
  ),
  LISTEN_NOT_PERMITTED: setup(
    "system",
    "The system does not permit this user to listen on the address.",
    "Use a port above 1023, or grant the permission.",
  ),
  LISTEN_FAILED: setup("system", "The address cannot be listened on.", "Use an address of this machine."),
  STATE_UNUSABLE: setup(
    "system",
    "Weir's state cannot be read or written.",
    "Correct the permissions, name another folder with `stateFolder`, or set `affinity.secret`.",
  ),
  STATE_CHANGED: setup(
    "system",
    "Another Weir with the same configuration has kept run-time edits since this one read them; nothing is changed.",
    "Reload, which takes them over, and make the edit again; or give each Weir a configuration file of its own.",
  ),
  ACCESS_LOG_UNUSABLE: setup(
    "system",
    "The access log cannot be opened.",
    "Correct the path or the permissions of its folder for the user that workers run as, or name another place with `accessLog.to`.",
  ),
  ACCESS_LOG_LOST: setup(
    "system",
    "Lines of the access log could not be written; traffic is not touched.",
    "Free the disk or mend its reader, or log less with `accessLog.sample`.",
  ),
  TRACES_LOST: setup(
    "system",
    "Spans could not be exported to the collector; traffic is not touched.",
    "Mend the collector of `tracing.otlp`, or sample less with `tracing.sample`.",
  ),
  SECRET_UNSAFE: setup(
    "system",
    "The file with the secret of affinity is open to others, or holds no secret.",
    "Make it its owner's alone (`chmod 600`), or remove it: a new one is made, and clients are pinned anew.",
  ),
  USER_NOT_PERMITTED: setup(
    "system",
    "Workers cannot run as the `user` of the configuration, because Weir was not started as root.",
    "Start it as root or as that user, or leave `user` out.",
  ),
  ADMIN_NEEDS_TOKEN: setup(
    "config",
    "The admin API would be open to whoever reaches its address.",
    "Use an address of the loopback or a unix socket, or name a `tokenFile`.",
  ),
  EXPLAIN_TOKEN_UNSAFE: setup(
    "system",
    "The file with the token of `explain` is open to others, holds none, or cannot be read.",
    "Make it its owner's alone (`chmod 600`), with a token of 16 to 256 visible ASCII characters.",
  ),
  ADMIN_TOKEN_UNSAFE: setup(
    "system",
    "The file with the token of the admin API is open to others, holds none, or cannot be read.",
    "Make it its owner's alone (`chmod 600`), with a token of at least 16 bytes.",
  ),
  ADMIN_ADDRESS_IN_USE: setup(
    "system",
    "Another program, perhaps another Weir, already listens on the address of the admin API.",
    "Stop it, or choose another address: `--admin ADDR` or `admin` in the configuration, `off` for no admin API.",
  ),
  ADMIN_UNREACHABLE: setup(
    "system",
    "No Weir answers at the address of the admin API.",
    "Start Weir, or name the address of its admin API with `--admin ADDR`.",
  ),
  ADMIN_UNAUTHORIZED: api(
    "client",
    401,
    "The request to the admin API shows no token, or a wrong one.",
    "Send `Authorization: Bearer TOKEN`; a command takes it from `--token-file` or `WEIR_TOKEN_FILE`.",
  ),
  ADMIN_TOO_MANY_TRIES: api(
    "client",
    429,
    "There were too many wrong tokens of late.",
    "Wait for as long as `Retry-After` says, and use the right token.",
  ),
  ADMIN_WRONG_HOST: api(
    "client",
    403,
    "The request's Host is no name of the admin API: a web page may have sent it through a name of its own.",
    "Use the address that the admin API listens on.",
  ),
  ADMIN_CROSS_SITE: api(
    "client",
    403,
    "The request comes from a web page of another site.",
    "Send it from the dashboard, or from a program that sets neither Origin nor Sec-Fetch-Site.",
  ),
  ADMIN_NOT_FOUND: api("client", 404, "There is no such thing in this Weir.", "Use one of the names that are there."),
  ADMIN_METHOD: api("client", 405, "The resource of the admin API has no such method.", "Use one that `Allow` names."),
  ADMIN_TOO_LARGE: api("client", 413, "The body of the request to the admin API is too large.", "Send at most 1 MiB."),
  ADMIN_MEDIA_TYPE: api(
    "client",
    415,
    "The body of the request to the admin API is not declared as JSON.",
    "Send `Content-Type: application/json`.",
  ),
  ADMIN_BAD_JSON: api("client", 400, "The body of the request to the admin API is no JSON.", "Send valid JSON."),
  ADMIN_BAD_REQUEST: api(
    "client",
    400,
    "A value in the request to the admin API is missing, unknown or of a wrong type.",
    "Send what `/v1/openapi.json` says.",
  ),
  ADMIN_REFUSED: api(
    "client",
    409,
    "Weir cannot do this in the state that it is in.",
    "See the detail; try again later if the state passes.",
  ),
  ADMIN_UNAVAILABLE: api("weir", 503, "A part of Weir did not answer.", "Try again; see the log."),
  WORKER_FAILED: setup("system", "A worker could not start.", "The detail says why."),
  PLAN_NOT_TAKEN: setup(
    "weir",
    "A worker could not take a new configuration; all stay with the one in force.",
    "The detail says why; `weir upgrade` or a restart takes it without the workers that run now.",
  ),
  NOT_RUNNING: setup("weir", "Weir is starting or ending: nothing can be changed.", "Try again when it runs."),
  UPGRADE_FAILED: setup(
    "system",
    "The new program did not come up; the old one goes on.",
    "The detail says why; its own lines in the log say more.",
  ),
  UPGRADE_IMPOSSIBLE: setup(
    "system",
    "Weir cannot be replaced by a new process here.",
    "Restart it; in a container, replace the container.",
  ),
} as const satisfies Record<string, ErrorRow>;

/** A code of the table. */
export type ErrorCode = keyof typeof ERRORS;

/** Codes that can end an exchange or a TCP connection, in the order of their rows in the shared counters. */
export const EXCHANGE_ERROR_CODES: readonly ErrorCode[] = (Object.keys(ERRORS) as ErrorCode[]).slice(
  0,
  Object.keys(ERRORS).indexOf("CLI_USAGE"),
);

const FORMS = "; use ";

/** The one error type of Weir. Match on `code`, never on the message. */
export class WeirError extends Error {
  readonly code: ErrorCode;
  /** What exactly happened here: names, numbers, places. */
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, cause?: unknown) {
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause });
    this.name = "WeirError";
    this.code = code;
    this.detail = detail;
  }

  /** The detail by its parts: readers of values say what is wrong and then, behind `; use `, which forms are right (`null` where they say none). */
  get advice(): { readonly wrong: string; readonly use: string | null } {
    const [wrong = "", ...forms] = this.detail.split(FORMS);
    return { wrong, use: forms.length === 0 ? null : `Use ${forms.join(FORMS)}.` };
  }

  /** Whose fault it is. */
  get source(): ErrorSource {
    return ERRORS[this.code].source;
  }

  /** Whether the attempt may be repeated on another backend. */
  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}
