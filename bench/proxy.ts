/** The proxies under comparison, in the order of the tables. */
export const proxyNames = ["weir", "haproxy", "nginx", "node"] as const;

/** One of the proxies under comparison. */
export type ProxyName = (typeof proxyNames)[number];

/** What a proxy forwards: requests or bytes. */
export type Mode = "http" | "tcp";

/** Where a proxy is to listen and forward to, and a folder of its own for files. */
export interface Launch {
  readonly mode: Mode;
  readonly port: number;
  readonly backends: readonly number[];
  readonly folder: string;
  /** Buffers of 64 KiB and more in HAProxy and nginx instead of their own defaults of 16 KiB and less. */
  readonly largeBuffers: boolean;
  /** A line of JSON for each request, in a file of the folder. */
  readonly accessLog?: boolean;
}

/** How to find and start one of the proxies; each is set up with one worker, keep-alive to backends and no access log but where it is asked for. */
export interface Proxy {
  readonly name: ProxyName;
  readonly title: string;
  /** One that is there only for scale need not have all the rounds. */
  readonly mostRounds: number;
  /** Why it cannot run here and how to mend that; undefined when it can. */
  missing(mode: Mode): string | undefined;
  version(): string;
  /** Writes what it needs into the folder and returns the command that runs it in the foreground. */
  command(launch: Launch): Promise<readonly string[]>;
}
