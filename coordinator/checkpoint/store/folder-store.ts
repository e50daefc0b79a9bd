/**
 * The checkpoints of a job in a folder of a file system: local, or shared by machines as long as exclusive creation and
 * listing mean there what they mean on one.
 *
 *     files of tasks, durable ─▶ manifest ─▶ fsync, folders ─▶ log entry ─▶ answered ─▶ files of old ones go
 *
 * Invariants:
 * - Nothing is removed that a checkpoint needs which the log calls complete, and nothing before a newer one is in the log.
 * - A file is written once: its folder has the number of the attempt in its name.
 *
 * On disk: docs/formats/checkpoint.md.
 * Before: coordinator/checkpoint/store/checkpoint-store.ts. After: coordinator/checkpoint/store/checkpoint-log.ts.
 */
import { assert } from '../../../base/assert.ts';
import { crc32c } from '../../../base/checksum.ts';
import type { Env } from '../../../base/env/env.ts';
import { createWholeFile } from '../../../base/env/whole-files.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { type CheckpointManifest, encodeManifest } from '../checkpoint-manifest.ts';
import {
  appendEntry,
  beginAttempt,
  type CompleteEntry,
  checkLast,
  type LogContent,
  type LogEntry,
  type Numbered,
  type RestoreRequest,
  readLog,
  resolveRestore,
} from './checkpoint-log.ts';
import {
  checkpointFolderName,
  jobFolderName,
  logFolder,
  manifestName,
} from './checkpoint-paths.ts';
import type {
  AttemptStore,
  CheckpointStore,
  FoundCheckpoint,
  LatestCheckpoint,
  ListedCheckpoint,
  WrittenManifest,
} from './checkpoint-store.ts';
import { checkTarget, copySavepoint } from './copy-savepoint.ts';
import { checkpointAt, latestOf, listOf } from './find-checkpoint.ts';
import type { CheckDepth } from './read-checkpoint.ts';
import { keptOf, removeUnneeded } from './unneeded-files.ts';

type StoreEnv = Pick<Env, 'disk' | 'observe' | 'clock'>;

export interface FolderStoreOptions {
  /** The folder of checkpoints, of this job and others. */
  readonly folder: string;
  readonly jobName: string;
  /** How many complete checkpoints are kept, from 1 on. @defaultValue 2 */
  readonly keptMax?: number;
}

const keptMaxDefault = 2;
/** How often others may remove what is being read; each time a checkpoint has been completed. */
const readsMax = 10;

type EntryDraft = LogEntry extends infer E
  ? E extends LogEntry
    ? Omit<E, 'epoch' | 'oldest'>
    : never
  : never;

/** The store of a job; its folder is made with the first attempt. */
export function folderStore(env: StoreEnv, options: FolderStoreOptions): CheckpointStore {
  const { folder, jobName, keptMax = keptMaxDefault } = options;
  assert(keptMax >= 1, 'at least one checkpoint is kept');
  return new FolderStore(env, { root: `${folder}/${jobFolderName(jobName)}`, keptMax });
}

interface Place {
  /** The folder of the job. */
  readonly root: string;
  readonly keptMax: number;
}

class FolderStore implements CheckpointStore {
  readonly #env: StoreEnv;
  readonly #place: Place;

  constructor(env: StoreEnv, place: Place) {
    this.#env = env;
    this.#place = place;
  }

  async beginAttempt(from: RestoreRequest): Promise<AttemptStore> {
    const { disk, clock, observe } = this.#env;
    const { root } = this.#place;
    await disk.makeDir(`${root}/${logFolder}`);
    await disk.syncDir(root);
    const takeover = { from, atMs: clock.wall() };
    const { begin, log } = await beginAttempt(disk, `${root}/${logFolder}`, takeover);
    for (const number of begin.voids) observe.event('checkpoint.entry-void', { root, number });
    const ids = log.entries.map((entry) => (entry.kind === 'complete' ? entry.checkpointId : 0));
    const after = { ...log, entries: [...log.entries, begin], lastNumber: begin.number };
    const attempt = { epoch: begin.epoch, nextId: Math.max(0, ...ids) + 1 };
    return new FolderAttempt(this.#env, { ...this.#place, ...attempt, log: after });
  }

  async find(from: RestoreRequest): Promise<FoundCheckpoint | null> {
    const { disk } = this.#env;
    const found = await this.#whileItIsThere(async (log) => {
      const origin = resolveRestore(from, log.entries);
      if (origin.kind === 'savepoint') return checkpointAt(disk, origin.path, 'sizes');
      if (origin.kind === 'nothing') return null;
      return (await latestOf(disk, this.#place.root, { log, depth: 'sizes' })).found;
    });
    if (found !== undefined) return found;
    const origin = resolveRestore(from, []);
    return origin.kind === 'savepoint' ? checkpointAt(disk, origin.path, 'sizes') : null;
  }

  async list(depth: CheckDepth = 'sizes'): Promise<readonly ListedCheckpoint[]> {
    const { root } = this.#place;
    const list = (log: LogContent) => listOf(this.#env.disk, root, { log, depth });
    return (await this.#whileItIsThere(list)) ?? [];
  }

  async latest(depth: CheckDepth = 'checksums'): Promise<LatestCheckpoint> {
    const { root } = this.#place;
    const latest = (log: LogContent) => latestOf(this.#env.disk, root, { log, depth });
    return (await this.#whileItIsThere(latest)) ?? { found: null, damaged: [] };
  }

  /**
   * Reads what the log names, and the log anew where that is not there and an attempt has gone on meanwhile: it removes
   * what it needs no more, and who only reads holds nothing. Undefined: no attempt has begun yet.
   */
  async #whileItIsThere<T>(read: (log: LogContent) => Promise<T>): Promise<T | undefined> {
    const { disk } = this.#env;
    const folder = `${this.#place.root}/${logFolder}`;
    if ((await disk.stat(folder)) === null) return undefined;
    for (let tries = 1; ; tries++) {
      const log = await readLog(disk, folder);
      try {
        return await read(log);
      } catch (error) {
        const isGone = codeOf(error) === 'CHECKPOINT_DAMAGED' && tries < readsMax;
        if (!isGone || (await readLog(disk, folder)).lastNumber === log.lastNumber) throw error;
      }
    }
  }
}

class FolderAttempt implements AttemptStore {
  readonly epoch: number;
  readonly nextId: number;
  readonly root: string;
  readonly #env: StoreEnv;
  readonly #keptMax: number;
  #log: LogContent;
  /** Numbers of entries whose checkpoints are damaged: they are kept, and not counted. */
  readonly #damagedIds = new Set<number>();
  /** Checkpoints that are being copied. */
  readonly #copied = new Set<number>();
  /** Each call that writes the log or removes files waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    env: StoreEnv,
    options: Place & { readonly epoch: number; readonly nextId: number; readonly log: LogContent },
  ) {
    this.#env = env;
    this.epoch = options.epoch;
    this.nextId = options.nextId;
    this.root = options.root;
    this.#keptMax = options.keptMax;
    this.#log = options.log;
  }

  folderOf(checkpointId: number): string {
    return checkpointFolderName({ checkpointId, epoch: this.epoch });
  }

  async latest(depth: CheckDepth = 'checksums'): Promise<LatestCheckpoint> {
    const { observe } = this.#env;
    const latest = await this.#latest(depth);
    for (const { checkpointId, path, problem } of latest.damaged) {
      this.#damagedIds.add(checkpointId);
      observe.event('checkpoint.damaged', { checkpointId, path, problem });
    }
    return latest;
  }

  /** What is not there may have been removed by a successor. @throws CHECKPOINT_FENCED, CHECKPOINT_DAMAGED */
  async #latest(depth: CheckDepth): Promise<LatestCheckpoint> {
    try {
      return await latestOf(this.#env.disk, this.root, { log: this.#log, depth });
    } catch (error) {
      await this.checkCurrent();
      throw error;
    }
  }

  /** Behind what is being written, so that an entry of its own is none of another attempt's. */
  checkCurrent(): Promise<void> {
    const folder = `${this.root}/${logFolder}`;
    return this.#inTurn(() => checkLast(this.#env.disk, folder, this.#log.lastNumber));
  }

  async writeManifest(manifest: CheckpointManifest): Promise<WrittenManifest> {
    assert(manifest.epoch === this.epoch, 'a manifest is of the attempt that writes it');
    const { disk } = this.#env;
    const folder = this.folderOf(manifest.checkpointId);
    const path = `${folder}/${manifestName}`;
    const bytes = encodeManifest(manifest);
    await disk.makeDir(`${this.root}/${folder}`);
    await createWholeFile(disk, `${this.root}/${path}`, bytes);
    await disk.syncDir(this.root);
    return { manifest, path, sizeBytes: bytes.length, checksum: crc32c(bytes) };
  }

  complete({ manifest, path, sizeBytes, checksum }: WrittenManifest): Promise<void> {
    const { checkpointId, kind, createdMs, statistics } = manifest;
    // It stays until it has been copied, however many come after it meanwhile.
    if (kind === 'savepoint') this.#copied.add(checkpointId);
    return this.#inTurn(() =>
      this.#append({
        ...{ kind: 'complete', atMs: createdMs, checkpointId, checkpointKind: kind },
        ...{ manifest: path, manifestBytes: sizeBytes, manifestChecksum: checksum },
        ...{ durationMs: statistics.durationMs, sizeBytes: statistics.sizeBytes },
      }),
    );
  }

  end(status: string): Promise<void> {
    const atMs = this.#env.clock.wall();
    return this.#inTurn(() => this.#append({ kind: 'end', status, atMs }));
  }

  async #append(draft: EntryDraft): Promise<void> {
    const { disk } = this.#env;
    const { epoch } = this;
    const number = this.#log.lastNumber + 1;
    const entry = { ...draft, epoch, number, oldest: this.#log.oldest };
    const [first] = this.#keptOf([...this.#log.entries, entry]);
    const oldest = Math.max(this.#log.oldest, first?.number ?? 1);
    const last = { ...entry, oldest };
    await appendEntry(disk, `${this.root}/${logFolder}`, last);
    const entries = [...this.#log.entries, last].filter((one) => one.number >= oldest);
    this.#log = { ...this.#log, entries, lastNumber: number, oldest };
  }

  #keptOf(entries: readonly Numbered<LogEntry>[]): Numbered<CompleteEntry>[] {
    return keptOf(entries, {
      keptMax: this.#keptMax,
      damagedIds: this.#damagedIds,
      copiedIds: this.#copied,
    });
  }

  removeUnneeded(): Promise<void> {
    return this.#inTurn(async () => {
      const { oldest, entries } = this.#log;
      const kept = this.#keptOf(entries);
      const about = { kept, damagedIds: this.#damagedIds, epoch: this.epoch, oldest };
      await removeUnneeded(this.#env.disk, this.root, about);
    });
  }

  checkTarget(folder: string): Promise<void> {
    return checkTarget(this.#env.disk, folder);
  }

  async copyTo(checkpointId: number, folder: string): Promise<void> {
    const { disk } = this.#env;
    this.#copied.add(checkpointId);
    try {
      const name = this.folderOf(checkpointId);
      const checkpoint = await checkpointAt(disk, `${this.root}/${name}`, 'sizes');
      await copySavepoint(disk, checkpoint, folder);
    } finally {
      this.#copied.delete(checkpointId);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined); // Who called it hears of it.
    return done;
  }
}
