import { readOverlay, writeOverlay } from "../config/overlay-file.ts";
import { type Change, type Edit, type Overlay, withEdit } from "../config/overlay.ts";
import { planFromConfig } from "../config/read.ts";
import { fileProblem, type Problem } from "../config/problems.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Plan } from "../plan.ts";
import { WeirError } from "../errors.ts";
import { type Log, silentLog } from "../observe/log.ts";
import type { ApplyReport } from "./apply-report.ts";
import { type ConfigSource, editing, loadSource, nameOf, stateFolderOf } from "./config-source.ts";

/** Brings a plan into force, or says what would change. */
export type Apply = (plan: Plan, options: { readonly dryRun: boolean }) => Promise<ApplyReport>;

/** How a reload differs from reading the same file again. */
export interface ReloadOptions {
  /** Another file, which is the one that counts from then on. */
  readonly file?: string;
  /** Only says what would change. */
  readonly dryRun?: boolean;
}

/** How long an edit is to hold. */
export interface EditOptions {
  /** Over restarts. Otherwise until then, whatever is reloaded. */
  readonly persist: boolean;
  readonly dryRun?: boolean;
}

/** A broken file may break on every line; the first are the ones to mend. */
const MOST_TOLD = 20;

/** What was loaded, right or wrong. */
export type FirstPlan = { readonly plan: Plan } | { readonly problems: readonly Problem[] };

/**
 * The configuration of a running Weir: where it comes from and what was edited since. All changes come through here, one after another:
 * one that is asked for while another is under way waits for it.
 */
export class LiveConfig {
  readonly #wallClock: () => number;
  readonly #inherits: boolean;
  #source: ConfigSource;
  #overlay: Overlay;
  #folder: string | null = null;
  #file: string | null = null;
  #files: readonly string[] = [];
  #raw: unknown = null;
  #apply: Apply | null = null;
  #log: Log = silentLog;
  /** Why it is not known whether edits have outlived the last run. */
  #unread: WeirError | null = null;
  #last: Promise<unknown> = Promise.resolve();
  /** How often a change was refused. */
  #refused = 0;
  #reloaded: { readonly ok: boolean; readonly succeededAt: number };

  /**
   * @param wallClock milliseconds since 1970
   * @param inherited run-time edits of a predecessor that is being replaced; without it those that persist are read
   */
  constructor(source: ConfigSource, wallClock: () => number = Date.now, inherited: Overlay | null = null) {
    this.#source = source;
    this.#wallClock = wallClock;
    this.#reloaded = { ok: true, succeededAt: wallClock() };
    this.#overlay = inherited ?? [];
    this.#inherits = inherited !== null;
  }

  /** The file as the user named it; `null` where flags or an object say everything. */
  get file(): string | null {
    return this.#file;
  }

  /** What it consists of, absolute paths. */
  get files(): readonly string[] {
    return this.#files;
  }

  /** The run-time edits that hold now. */
  get overlay(): Overlay {
    return this.#overlay;
  }

  /** The configuration as it was written, without run-time edits; it may hold secrets. */
  get raw(): unknown {
    return this.#raw;
  }

  /**
   * Loads for the first time, with the edits that have outlived the last run. Files that are wrong come back as problems.
   * @throws STATE_UNUSABLE
   */
  async begin(): Promise<FirstPlan> {
    const loaded = await loadSource(this.#source, this.#overlay, true);
    if ("problems" in loaded) {
      this.#files = loaded.files;
      return loaded;
    }
    this.#took(loaded);
    this.#folder = stateFolderOf(loaded.plan);
    if (this.#inherits) return loaded;
    const overlay = this.#kept(this.#folder, nameOf(this.#source, loaded.file));
    if (overlay.length === 0) return loaded;
    const edited = await this.#edited(overlay);
    if ("plan" in edited) this.#overlay = overlay;
    return edited;
  }

  /** Who brings plans into force; before, nothing can be changed. @param log where it is said why something is not */
  attach(apply: Apply, log: Log): void {
    this.#apply = apply;
    this.#log = log;
    if (this.#unread !== null) log.warn("run-time edits not read", { reason: this.#unread.detail });
  }

  /**
   * How the configuration was read the last times: whether the last attempt brought it into force, and when one last did, in milliseconds
   * since 1970. The start counts as one.
   */
  get reloaded(): { readonly ok: boolean; readonly succeededAt: number } {
    return this.#reloaded;
  }

  /** Reads the configuration again, and brings what changed into force. */
  async reload(options: ReloadOptions = {}): Promise<ApplyReport> {
    const report = await this.#reload(options);
    if (options.dryRun !== true) {
      const succeededAt = report.ok ? this.#wallClock() : this.#reloaded.succeededAt;
      this.#reloaded = { ok: report.ok, succeededAt };
    }
    return report;
  }

  #reload({ file, dryRun = false }: ReloadOptions): Promise<ApplyReport> {
    return this.#inTurn(dryRun, async (apply) => {
      const began = this.#wallClock();
      const source = this.#sourceOf(file);
      const loaded = await loadSource(source, this.#overlay, false);
      if ("problems" in loaded) {
        // So that mending one of them is seen too.
        this.#files = [...new Set([...this.#files, ...loaded.files])];
        return { ok: false, problems: loaded.problems };
      }
      const report = await apply(loaded.plan, { dryRun });
      if (!report.ok) return report;
      if (!dryRun) {
        this.#source = source;
        this.#took(loaded);
      }
      // Loading is a part of it.
      return { ...report, tookMs: Math.max(report.tookMs, this.#wallClock() - began) };
    });
  }

  /** Makes edits over the configuration as it was loaded last; the files are not read again. All are made, or none. */
  edit(changes: readonly Change[], { persist, dryRun = false }: EditOptions): Promise<ApplyReport> {
    return this.#inTurn(dryRun, async (apply) => {
      const madeTimeMs = this.#wallClock();
      const edits = changes.map((change): Edit => ({ change, persist, madeTimeMs }));
      const overlay = edits.reduce(withEdit, this.#overlay);
      const edited = await this.#edited(overlay);
      if ("problems" in edited) return { ok: false, problems: edited.problems };
      if (dryRun) return apply(edited.plan, { dryRun });
      if (persist) this.#write(overlay);
      const report = await apply(edited.plan, { dryRun });
      if (report.ok) this.#overlay = overlay;
      else if (persist) this.#write(this.#overlay);
      return report;
    });
  }

  /** Where this user may not even look nothing was kept by him, and whoever needs no state can do without. */
  #kept(folder: string, name: string): Overlay {
    try {
      return readOverlay(folder, name);
    } catch (error) {
      const cause = error instanceof WeirError ? error.cause : null;
      if (!(error instanceof WeirError && cause instanceof Error && "code" in cause && cause.code === "EACCES"))
        throw error;
      this.#unread = error;
      return [];
    }
  }

  /** Where `reload` would read from. */
  #sourceOf(file: string | undefined): ConfigSource {
    if (file === undefined) return this.#source;
    return { kind: "file", file, over: this.#source.kind === "file" ? this.#source.over : {} };
  }

  #took({ file, files, raw }: LoadedConfig): void {
    this.#file = file;
    this.#files = files;
    this.#raw = raw;
  }

  #edited(overlay: Overlay): Promise<FirstPlan> {
    const over = this.#source.kind === "file" ? this.#source.over : {};
    return planFromConfig(editing(over, overlay)(this.#raw), { file: this.#file });
  }

  #write(overlay: Overlay): void {
    if (this.#folder !== null) writeOverlay(this.#folder, nameOf(this.#source, this.#file), overlay);
  }

  async #inTurn(dryRun: boolean, change: (apply: Apply) => Promise<ApplyReport>): Promise<ApplyReport> {
    const before = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = done.promise;
    await before;
    try {
      const report = await this.#attempt(change);
      if (!report.ok && !dryRun) this.#tell(report.problems);
      return report;
    } finally {
      done.resolve();
    }
  }

  async #attempt(change: (apply: Apply) => Promise<ApplyReport>): Promise<ApplyReport> {
    try {
      if (this.#apply === null) throw new WeirError("NOT_RUNNING", "Weir is still starting");
      return await change(this.#apply);
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      return { ok: false, problems: [problemOf(error)] };
    }
  }

  #tell(problems: readonly Problem[]): void {
    this.#refused += 1;
    const attempt = this.#refused;
    for (const problem of problems.slice(0, MOST_TOLD)) {
      const { code, file, line, column, key, message: reason, mend } = problem;
      const at = line === null ? file : `${file}:${line}:${column}`;
      this.#log.error("configuration refused", { code, at, key, reason, mend, problems: problems.length, attempt });
    }
  }
}

/** An error as something that is wrong with a change. */
export function problemOf({ code, detail }: WeirError): Problem {
  return { ...fileProblem(code, "", detail), file: null };
}
