import { createApp } from "./app.ts";
import { type FakeRunning, fakeRunning } from "./fake-running.ts";
import { Guard } from "./guard.ts";
import { LiveFeed } from "./live.ts";
import { metricsAnswer } from "./metrics-answer.ts";
import { type ProblemDocument, problemSchema } from "./model-writes.ts";
import { openPaths } from "./open-paths.ts";
import { resources } from "./resources.ts";
import { Sampler } from "./sampler.ts";

/** How the API is asked. */
export interface Asked {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, and said to be JSON. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The whole API on a Weir that is played, without a socket: the pools `app`, of 127.0.0.1:8001 and 8002 with weight 3, and `data`. */
export class FakeApi implements Disposable {
  readonly running: FakeRunning;
  readonly sampler: Sampler;
  readonly #app: (request: Request, who: string) => Promise<Response>;

  private constructor(running: FakeRunning, token: string | null) {
    this.running = running;
    this.sampler = new Sampler(running);
    this.#app = createApp({
      running,
      sampler: this.sampler,
      guard: new Guard({ address: { kind: "tcp", host: "127.0.0.1", port: 9900 }, running }, token),
      resources: resources(new LiveFeed(running)),
      open: openPaths(running),
      metrics: async (exclude) => metricsAnswer(running, exclude),
    });
  }

  /** @param stateFolder of the test @param token that is asked for; `null` for none */
  static async begin(stateFolder: string, token: string | null = null): Promise<FakeApi> {
    const running = await fakeRunning({
      listeners: {
        web: { address: ":8080", routes: [{ host: "a.example", path: "/v1/*", pool: "app" }, { pool: "app" }] },
        db: { address: ":5432", mode: "tcp", pool: "data" },
      },
      pools: {
        app: {
          backends: ["127.0.0.1:8001", "127.0.0.1:8002,weight=3"],
          health: "/",
          affinity: { secret: "a secret of sixteen bytes" },
        },
        data: { backends: ["unix:/run/data.sock"] },
      },
      stateFolder,
    });
    return new FakeApi(running, token);
  }

  ask(path: string, { method = "GET", body, raw, headers = {} }: Asked = {}): Promise<Response> {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const all = {
      host: "127.0.0.1:9900",
      ...(content === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    };
    const request = new Request(`http://127.0.0.1:9900${path}`, { method, headers: all, body: content ?? null });
    return this.#app(request, "127.0.0.1");
  }

  /** What is answered with success. */
  async read<T>(path: string, asked?: Asked): Promise<T> {
    const response = await this.ask(path, asked);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** What is answered with a problem document, which is checked. */
  async problem(path: string, asked: Asked): Promise<ProblemDocument> {
    const response = await this.ask(path, asked);
    const type = response.headers.get("content-type");
    const document = problemSchema.parse(await response.json());
    if (type !== "application/problem+json" || document.status !== response.status)
      throw new Error(`${type} ${response.status} is no problem document with status ${document.status}`);
    return document;
  }

  [Symbol.dispose](): void {
    this.sampler.close();
  }
}

/** The path of the first backend of `app`. */
export const APP_ONE = "/v1/pools/app/backends/127.0.0.1:8001";

export function patch(body: unknown): Asked {
  return { method: "PATCH", body };
}

export function post(body: unknown): Asked {
  return { method: "POST", body };
}
