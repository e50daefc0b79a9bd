/**
 * The metadata log in one file: for one coordinator, which keeps what is in it in memory, too.
 *
 *     append   write a line behind the last ─▶ fsync ─▶ answer
 *     compact  write <path>.next: a snapshot and what is behind it ─▶ fsync ─▶ rename ─▶ sync the folder
 *     open     read, cut off what is torn, and write it anew as compacting does
 *
 * - Opening writes the file anew, for a failed fsync leaves bytes that a program sees and the disk has not.
 * - After a failed fsync or rename nobody can say what is on disk: the process ends.
 * - A write that fails, as on a full disk, may have left a whole line. It is made unreadable before the
 *   append is said to have failed; the next one is written over it.
 * - One process owns the file: `<path>.owner` names it, until it has surely ended. Two that find a dead owner
 *   at one moment may both go on; they also share an address to listen on, and one of them fails there.
 *
 * On disk: docs/formats/metadata-log.md.
 * Before: coordinator/metadata/log-frames.ts. After: coordinator/metadata/metadata-store.ts.
 */
import type { FileId } from '../../base/env/disk.ts';
import type { Env } from '../../base/env/env.ts';
import { disown, own } from '../../base/env/owner-file.ts';
import { folderOf, readWholeFile } from '../../base/env/whole-files.ts';
import { typedError } from '../../base/typed-error.ts';
import { entriesOf, GroupedAppends, type GroupOutcome, type LogGroup } from './grouped-appends.ts';
import { decodeLog, emptySnapshot, encodeGroup, encodeLog } from './log-frames.ts';
import type {
  AppendOutcome,
  AppendRequest,
  LogEntry,
  LogHead,
  LogListener,
  LogPage,
  LogSnapshot,
  MetadataLog,
} from './metadata-log.ts';

type LogEnv = Pick<Env, 'clock' | 'disk' | 'process' | 'observe'>;

/** Exit code of a process that can no longer say what is on its disk. */
const exitCodeDiskInDoubt = 70;

/**
 * Opens the log at `path`, or makes it; the folder must exist.
 * @throws METADATA_LOG_DAMAGED, METADATA_LOG_IN_USE, METADATA_VERSION, and errors of the disk
 */
export async function openFileLog(env: LogEnv, path: string): Promise<MetadataLog> {
  await own(env, path, (owner) => inUseError(path, owner));
  const bytes = await readWholeFile(env.disk, path);
  const content =
    bytes === null
      ? { snapshot: emptySnapshot, entries: [], tornBytes: 0 }
      : decodeLog(bytes, path);
  if (content.tornBytes > 0) {
    env.observe.event('metadata.torn-end-cut', { path, bytes: content.tornBytes });
  }
  const file = new LogFile(env, path);
  await file.replace(encodeLog(content.snapshot, content.entries));
  return new FileLog(env, file, content.snapshot, [...content.entries]);
}

/** The bytes on disk, and where the next line goes. */
class LogFile {
  readonly #env: LogEnv;
  readonly #path: string;
  #file: FileId | null = null;
  #sizeBytes = 0;

  constructor(env: LogEnv, path: string) {
    this.#env = env;
    this.#path = path;
  }

  /** Puts other contents in place, durably; rejects where the old ones are untouched. */
  async replace(bytes: Uint8Array): Promise<void> {
    const { disk } = this.#env;
    const next = `${this.#path}.next`;
    const file = await disk.open(next, 'replace');
    try {
      await disk.write(file, bytes, 0);
    } catch (error) {
      await disk.close(file);
      throw error;
    }
    await this.#orExit(async () => {
      await disk.fsync(file);
      await disk.rename(next, this.#path);
      await disk.syncDir(folderOf(this.#path));
    });
    const before = this.#file;
    this.#file = file;
    this.#sizeBytes = bytes.length;
    if (before !== null) await disk.close(before);
  }

  /** Adds a line, durably; false where it is surely not there. */
  async add(line: Uint8Array): Promise<boolean> {
    const { disk, observe } = this.#env;
    const file = this.#file ?? 0;
    try {
      await disk.write(file, line, this.#sizeBytes);
    } catch (error) {
      observe.event('metadata.write-failed', { path: this.#path, error: String(error) });
      await this.#orExit(() => this.#spoil(file));
      return false;
    }
    await this.#orExit(() => disk.fsync(file));
    this.#sizeBytes += line.length;
    return true;
  }

  async close(): Promise<void> {
    if (this.#file !== null) await this.#env.disk.close(this.#file);
    this.#file = null;
    await disown(this.#env, this.#path);
  }

  /** What a failed write has left must never be read as a line. */
  async #spoil(file: FileId): Promise<void> {
    const { disk } = this.#env;
    const { sizeBytes } = (await disk.stat(this.#path)) ?? { sizeBytes: 0 };
    if (sizeBytes <= this.#sizeBytes) return;
    await disk.write(file, new Uint8Array(1), this.#sizeBytes);
    await disk.fsync(file);
  }

  async #orExit(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#env.observe.event('metadata.disk-in-doubt', { path: this.#path, error: String(error) });
      this.#env.process.exit(exitCodeDiskInDoubt);
    }
  }
}

class FileLog implements MetadataLog {
  readonly #file: LogFile;
  readonly #appends: GroupedAppends;
  readonly #listeners = new Set<LogListener>();
  #snapshot: LogSnapshot;
  /** Those behind the snapshot. */
  #entries: LogEntry[];

  constructor(env: LogEnv, file: LogFile, snapshot: LogSnapshot, entries: LogEntry[]) {
    this.#file = file;
    this.#snapshot = snapshot;
    this.#entries = entries;
    const { position, term } = entries.at(-1) ?? snapshot;
    const write = (group: LogGroup) => this.#write(group);
    const wallMs = () => env.clock.wall();
    this.#appends = new GroupedAppends({ write, wallMs }, { position, term });
  }

  async head(): Promise<LogHead> {
    return this.#appends.head;
  }

  async read(after: number): Promise<LogPage> {
    return this.#pageBehind(after);
  }

  async append(request: AppendRequest): Promise<AppendOutcome> {
    return await this.#appends.append(request);
  }

  watch(after: number, listener: LogListener): () => void {
    const page = this.#pageBehind(after);
    // One of its own for each call, so that one function may listen twice.
    const entry: LogListener = (more) => listener(more);
    this.#listeners.add(entry);
    if (page.snapshot !== null || page.entries.length > 0) listener(page);
    return () => this.#listeners.delete(entry);
  }

  compact(snapshot: LogSnapshot): Promise<AppendOutcome> {
    return this.#appends.whenIdle(async () => {
      const { head } = this.#appends;
      if (snapshot.term < head.term) return { kind: 'fenced', term: head.term };
      const isOld = snapshot.position <= this.#snapshot.position;
      if (isOld || snapshot.position > head.position) return { kind: 'conflict' };
      const kept = { ...snapshot, term: this.#termAt(snapshot.position) };
      const entries = this.#pageBehind(snapshot.position).entries;
      try {
        await this.#file.replace(encodeLog(kept, entries));
      } catch {
        return { kind: 'failed' }; // The log itself was not touched; it stays as long as it is.
      }
      this.#snapshot = kept;
      this.#entries = [...entries];
      return { kind: 'ok', position: snapshot.position };
    });
  }

  close(): Promise<void> {
    this.#listeners.clear();
    return this.#appends.whenIdle(() => this.#file.close());
  }

  async #write(group: LogGroup): Promise<GroupOutcome> {
    if (!(await this.#file.add(encodeGroup(group)))) return { kind: 'failed', head: null };
    const entries = entriesOf(group);
    for (const entry of entries) this.#entries.push(entry);
    for (const listener of [...this.#listeners]) listener({ snapshot: null, entries });
    return { kind: 'ok' };
  }

  #pageBehind(after: number): LogPage {
    const { position } = this.#snapshot;
    if (after < position) return { snapshot: this.#snapshot, entries: [...this.#entries] };
    return { snapshot: null, entries: this.#entries.slice(after - position) };
  }

  #termAt(position: number): number {
    return this.#entries[position - this.#snapshot.position - 1]?.term ?? this.#snapshot.term;
  }
}

function inUseError(path: string, owner: string) {
  return typedError('METADATA_LOG_IN_USE', `metadata log "${path}" belongs to ${owner}`, {
    hint: `Stop the other coordinator, or give this one a folder of its own. If it surely does not run, remove "${path}.owner".`,
    details: { path, owner },
  });
}
