import { writeOverlay } from "../../config/overlay/overlay-file.ts";
import { type Change, type Edit, type Overlay, withEdit } from "../../config/overlay/overlay.ts";
import { MOST_TOLD, type Problem, problemOf } from "../../config/files/problems.ts";
import type { LoadedConfig } from "../../config/files/load.ts";
import type { Plan } from "../../plan.ts";
import { WeirError } from "../../errors.ts";
import { type Log, silentLog } from "../../observe/log.ts";
import type { ApplyReport } from "../supervise/apply-report.ts";
import { type ChangeEars, deaf } from "./change-ears.ts";
import { type ConfigSource, loadSource, nameOf, otherFile, stateFolderOf } from "./config-source.ts";
import type { Shelf } from "./load-apart.ts";
import { mergedEdits, planWithEdits, readKept, withBlame, withKeptSince } from "./kept-edits.ts";

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
  /** The file that a reload has put in the place of what the command line says; `null` where none has. */
  #named: string | null;
  #overlay: Overlay;
  #folder: string | null = null;
  #file: string | null = null;
  #files: readonly string[] = [];
  /** With what was written: looked into when it is wanted. */
  #taken: Pick<LoadedConfig, "raw"> = { raw: null };
  #apply: Apply | null = null;
  #shelf: Shelf | undefined;
  #log: Log = silentLog;
  #readAgain: (atMs: number) => void = () => {};
  #ears: ChangeEars = deaf;
  /** Why it is not known whether edits have outlived the last run. */
  #unread: WeirError | null = null;
  #last: Promise<unknown> = Promise.resolve();
  /** How often a change was refused. */
  #refused = 0;
  #reloaded: { readonly ok: boolean; readonly succeededAt: number };

  /**
   * @param wallClock milliseconds since 1970
   * @param inherited run-time edits of a predecessor that is being replaced; without it those that persist are read
   * @param named the file that a reload has put in the place of the source there
   */
  constructor(
    source: ConfigSource,
    wallClock: () => number = Date.now,
    inherited: Overlay | null = null,
    named: string | null = null,
  ) {
    this.#source = named === null ? source : otherFile(source, named);
    this.#named = named;
    this.#wallClock = wallClock;
    this.#reloaded = { ok: true, succeededAt: wallClock() };
    this.#overlay = inherited ?? [];
    this.#inherits = inherited !== null;
  }

  /** The file as the user named it; `null` where flags or an object say everything. */
  get file(): string | null {
    return this.#file;
  }

  /** The file that a reload has named, as it did; `null` where the source is the one of the start. */
  get named(): string | null {
    return this.#named;
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
    return this.#taken.raw;
  }

  /**
   * Loads for the first time, with the edits that have outlived the last run. Files that are wrong come back as problems.
   * @throws STATE_UNUSABLE
   */
  async begin(): Promise<FirstPlan> {
    const loaded = await loadSource(this.#source, this.#overlay, true);
    if ("problems" in loaded) {
      this.#files = loaded.files;
      return { problems: await withBlame(loaded.problems, this.#source, loaded, this.#overlay) };
    }
    this.#took(loaded);
    this.#folder = stateFolderOf(loaded.plan);
    if (this.#inherits) return loaded;
    const overlay = this.#kept(this.#folder, nameOf(this.#source, loaded.file));
    if (overlay.length === 0) return loaded;
    const edited = await this.#edited(overlay);
    if ("problems" in edited) return { problems: await withBlame(edited.problems, this.#source, loaded, overlay) };
    this.#overlay = overlay;
    return edited;
  }

  /**
   * Who brings plans into force; before, nothing can be changed.
   * @param log where it is said why something is not
   * @param shelf on which the parts of the plan in force are
   */
  attach(apply: Apply, log: Log, shelf?: Shelf): void {
    this.#apply = apply;
    this.#shelf = shelf;
    this.#log = log;
    if (this.#unread !== null) log.warn("run-time edits not read", { reason: this.#unread.detail });
  }

  /** Who wants to know that the configuration was read again, so that `files` may be others. @param told gets when that began */
  onRead(told: (atMs: number) => void): void {
    this.#readAgain = told;
  }

  /** Who is told of changes. */
  tell(ears: ChangeEars): void {
    this.#ears = ears;
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
    let began = 0;
    const reload = this.#inTurn(dryRun, async (apply) => {
      if (!dryRun) this.#ears.reloading();
      began = this.#wallClock();
      const source = file === undefined ? this.#source : otherFile(this.#source, file);
      const { loaded, overlay } = await this.#read(source);
      if ("problems" in loaded) {
        // So that mending one of them is seen too.
        this.#files = [...new Set([...this.#files, ...loaded.files])];
        return { ok: false, problems: await withBlame(loaded.problems, source, loaded, overlay) };
      }
      const report = await apply(loaded.plan, { dryRun });
      if (!report.ok) return report;
      if (!dryRun) {
        this.#source = source;
        this.#named = file ?? this.#named;
        this.#overlay = overlay;
        this.#took(loaded);
      }
      // Loading is a part of it.
      return { ...report, tookMs: Math.max(report.tookMs, this.#wallClock() - began) };
    });
    return reload.finally(() => this.#readAgain(began));
  }

  /** Makes edits over the configuration as it was loaded last; the files are not read again. All are made, or none. */
  edit(changes: readonly Change[], { persist, dryRun = false }: EditOptions): Promise<ApplyReport> {
    return this.#inTurn(dryRun, async (apply) => {
      const madeTimeMs = this.#wallClock();
      const edits = changes.map((change): Edit => ({ change, persist, madeTimeMs }));
      const overlay = edits.reduce(withEdit, this.#overlay);
      const edited = await this.#edited(overlay);
      if ("problems" in edited) return { ok: false, problems: edited.problems };
      if (persist) {
        const problems = await this.#wrongAlone(overlay);
        if (problems.length > 0) return { ok: false, problems };
      }
      if (dryRun) return apply(edited.plan, { dryRun });
      if (persist) this.#write(overlay, this.#overlay);
      const report = await apply(edited.plan, { dryRun });
      if (report.ok) this.#overlay = overlay;
      else if (persist) this.#write(this.#overlay, overlay);
      return report;
    });
  }

  /** Reads a source with the edits that hold, and those that are kept for it: for the one in force, by another Weir since. */
  async #read(source: ConfigSource): Promise<{ readonly loaded: LoadedConfig; readonly overlay: Overlay }> {
    if (source === this.#source) {
      const overlay = withKeptSince(this.#overlay, this.#folder, nameOf(source, this.#file));
      return { loaded: await loadSource(source, overlay, false, this.#shelf), overlay };
    }
    const name = nameOf(source, null);
    const before = this.#folder === null ? [] : this.#kept(this.#folder, name);
    const overlay = mergedEdits(before, this.#overlay);
    const loaded = await loadSource(source, overlay, false, this.#shelf);
    if ("problems" in loaded || stateFolderOf(loaded.plan) === this.#folder) return { loaded, overlay };
    // It was run with a folder of its own.
    const own = mergedEdits(this.#kept(stateFolderOf(loaded.plan), name), overlay);
    const { file, files, raw } = loaded;
    return { loaded: { file, files, raw, ...(await planWithEdits(source, loaded, own)) }, overlay: own };
  }

  #kept(folder: string, name: string): Overlay {
    const { edits, unread } = readKept(folder, name);
    this.#unread ??= unread;
    return edits;
  }

  #took(loaded: LoadedConfig): void {
    this.#file = loaded.file;
    this.#files = loaded.files;
    this.#taken = loaded;
  }

  /** What is wrong with the edits that persist where those for now are gone: the next start would fail. */
  async #wrongAlone(overlay: Overlay): Promise<readonly Problem[]> {
    const kept = overlay.filter(({ persist }) => persist);
    const edited = kept.length === overlay.length ? null : await this.#edited(kept);
    if (edited === null || !("problems" in edited)) return [];
    return edited.problems.map((problem) => ({
      ...problem,
      message: `${problem.message}, once the edits that are for now are gone`,
      mend: `${problem.mend} Or keep what it needs as well.`,
    }));
  }

  #edited(overlay: Overlay): Promise<FirstPlan> {
    return planWithEdits(this.#source, { raw: this.raw, file: this.#file }, overlay);
  }

  #write(overlay: Overlay, before: Overlay): void {
    if (this.#folder !== null) writeOverlay(this.#folder, nameOf(this.#source, this.#file), overlay, before);
  }

  async #inTurn(dryRun: boolean, change: (apply: Apply) => Promise<ApplyReport>): Promise<ApplyReport> {
    const before = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = done.promise;
    await before;
    try {
      const report = await this.#attempt(change);
      if (!report.ok && !dryRun) this.#refuse(report.problems);
      return report;
    } finally {
      done.resolve();
      if (!dryRun) this.#ears.changed();
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

  #refuse(problems: readonly Problem[]): void {
    this.#refused += 1;
    const attempt = this.#refused;
    for (const problem of problems.slice(0, MOST_TOLD)) {
      const { code, file, line, column, key, message: reason, mend } = problem;
      const at = line === null ? file : `${file}:${line}:${column}`;
      this.#log.error("configuration refused", { code, at, key, reason, mend, problems: problems.length, attempt });
    }
  }
}
