/**
 * Checkpoint log: numbered entries, each a file that only one process can have made. It decides which attempt of a job
 * goes on, and which checkpoints are complete.
 *
 *     begin 1   complete 2   complete 3   begin 4 (the next attempt)   complete 5 …   end 9
 *
 *     append n:  create n exclusively ─▶ write ─▶ fsync ─▶ sync the folder ─▶ list it: n is still the last ─▶ answered
 *
 * An attempt writes the number behind the last that it knows. Where that is taken, or a greater one is there by the time
 * its own is durable, another attempt has taken over: CHECKPOINT_FENCED, and nobody may act on what was written.
 *
 * An entry may be torn: its writer died, or is still at it. Who takes over may not guess which. It first makes a `fence`
 * behind it and then reads again; so either it sees the whole entry, or the writer sees the fence. What it still finds
 * torn is named in its `begin` and is void for ever, even if the bytes come later.
 *
 * Entries from before the oldest checkpoint that is kept are removed. Each entry names that number, so that one which a
 * process writes there after a long sleep counts for nothing; and it sees greater ones.
 *
 * On disk: docs/formats/checkpoint.md.
 * Before: coordinator/checkpoint/store/folder-store.ts. After: base/env/disk.ts.
 */
import { decodeChecked, encodeChecked, versionOf } from '../../../base/checked-text.ts';
import type { Disk } from '../../../base/env/disk.ts';
import { createWholeFile, readWholeFile, syncFile } from '../../../base/env/whole-files.ts';
import { codeOf } from '../../../base/typed-error.ts';
import type { CheckpointKind } from '../pending-checkpoint.ts';
import { fencedError, newerVersionError } from './checkpoint-errors.ts';
import { entryName, parseEntryName } from './checkpoint-paths.ts';

/** Where an attempt goes on from: `nothing` leaves out all that was complete before it. */
export type RestoreFrom =
  | { readonly kind: 'latest' | 'nothing' }
  | { readonly kind: 'savepoint'; readonly path: string };

/** What is asked for. `otherwise`: the savepoint to begin with as long as there is nothing to go on from here. */
export type RestoreRequest = RestoreFrom | { readonly kind: 'latest'; readonly otherwise: string };

interface EntryCommon {
  /** Of the attempt. */
  readonly epoch: number;
  /** The number of the first entry that counts. */
  readonly oldest: number;
  readonly atMs: number;
}

export type BeginEntry = EntryCommon & {
  readonly kind: 'begin';
  readonly from: RestoreFrom;
  /** Numbers of entries that were torn when this attempt took over. */
  readonly voids: readonly number[];
};

export type CompleteEntry = EntryCommon & {
  readonly kind: 'complete';
  readonly checkpointId: number;
  readonly checkpointKind: CheckpointKind;
  /** Below the folder of the job. */
  readonly manifest: string;
  readonly manifestBytes: number;
  readonly manifestChecksum: number;
  readonly durationMs: number;
  readonly sizeBytes: number;
};

export type LogEntry =
  | BeginEntry
  | CompleteEntry
  | (EntryCommon & { readonly kind: 'fence' })
  | (EntryCommon & { readonly kind: 'end'; readonly status: string });

export type Numbered<T> = T & { readonly number: number };

export interface LogContent {
  /** Those that count, by number. */
  readonly entries: readonly Numbered<LogEntry>[];
  /** Of those that can't be read and that no attempt has declared void. */
  readonly torn: readonly number[];
  /** Of all that are there, ascending; the last is 0 where there are none. */
  readonly numbers: readonly number[];
  readonly lastNumber: number;
  readonly oldest: number;
  /** Greater than that of any attempt that the log knows of. */
  readonly nextEpoch: number;
}

// On disk: never renumber.
const formatName = 'millrace-checkpoint-log';
const formatVersion = 1;

/** @throws CHECKPOINT_VERSION */
export async function readLog(disk: Disk, folder: string): Promise<LogContent> {
  const numbers = await entryNumbers(disk, folder);
  const found: Numbered<LogEntry>[] = [];
  const unreadable: number[] = [];
  for (const number of numbers) {
    const entry = await readEntry(disk, `${folder}/${entryName(number)}`);
    if (entry === null) unreadable.push(number);
    else found.push({ ...entry, number });
  }
  const oldest = Math.max(1, ...found.map((entry) => entry.oldest));
  const voids = new Set(found.flatMap((entry) => (entry.kind === 'begin' ? entry.voids : [])));
  const epochs = found.flatMap(({ kind, epoch }) => (kind === 'fence' ? [] : [epoch]));
  const counts = (number: number) => number >= oldest && !voids.has(number);
  return {
    entries: found.filter(({ number }) => counts(number)),
    torn: unreadable.filter(counts),
    numbers,
    lastNumber: numbers.at(-1) ?? 0,
    oldest,
    // Each entry that can't be read may have been the beginning of an attempt. A fence begins none.
    nextEpoch: Math.max(0, ...epochs) + unreadable.length + 1,
  };
}

/** Null for one that is torn, or was removed meanwhile. */
async function readEntry(disk: Disk, path: string): Promise<LogEntry | null> {
  const bytes = await readWholeFile(disk, path);
  if (bytes === null) return null;
  const body = decodeChecked(`${formatName}-${formatVersion}`, bytes);
  if (body !== null) {
    const { version, ...entry } = JSON.parse(body);
    return version === formatVersion ? entry : null;
  }
  const version = versionOf(formatName, bytes) ?? 0;
  if (version > formatVersion) throw newerVersionError(path, version, formatVersion);
  return null;
}

async function entryNumbers(disk: Disk, folder: string): Promise<number[]> {
  const names = await disk.list(folder);
  return names.flatMap(({ name }) => parseEntryName(name) ?? []).sort((a, b) => a - b);
}

/**
 * Writes an entry; when this answers, it is durable, and was the last one.
 * @throws CHECKPOINT_FENCED, and errors of the disk: then only who reads the log anew can say whether it is there.
 */
export async function appendEntry(
  disk: Disk,
  folder: string,
  entry: Numbered<LogEntry>,
): Promise<void> {
  const outcome = await tryAppend(disk, folder, entry);
  if (outcome !== 'last') throw fencedError(folder, entry.number);
}

/** `taken`: another one has the number. `overtaken`: it is written, and there is one behind it. */
async function tryAppend(
  disk: Disk,
  folder: string,
  { number, ...entry }: Numbered<LogEntry>,
): Promise<'last' | 'taken' | 'overtaken'> {
  const body = JSON.stringify({ version: formatVersion, ...entry });
  const bytes = encodeChecked(`${formatName}-${formatVersion}`, body);
  try {
    await createWholeFile(disk, `${folder}/${entryName(number)}`, bytes);
  } catch (error) {
    if (codeOf(error) === 'DISK_EXISTS') return 'taken';
    throw error;
  }
  const last = (await entryNumbers(disk, folder)).at(-1) ?? 0;
  return last > number ? 'overtaken' : 'last';
}

/** @param known - The number of the last entry that an attempt has made. @throws CHECKPOINT_FENCED where there is one behind it. */
export async function checkLast(disk: Disk, folder: string, known: number): Promise<void> {
  const last = (await entryNumbers(disk, folder)).at(-1) ?? 0;
  if (last > known) throw fencedError(folder, last);
}

export interface Takeover {
  readonly from: RestoreRequest;
  readonly atMs: number;
}

/** What counts of what was asked for, by what there is. */
export function resolveRestore(
  from: RestoreRequest,
  entries: readonly Numbered<LogEntry>[],
): RestoreFrom {
  if (!('otherwise' in from)) return from;
  const { origin, completes } = lineOf(entries);
  const isThere = completes.length > 0 || origin?.from.kind === 'savepoint';
  return isThere ? { kind: 'latest' } : { kind: 'savepoint', path: from.otherwise };
}

/** The attempt that did not go on from what was there, if any, and what has been complete since. */
export function lineOf(entries: readonly Numbered<LogEntry>[]): {
  readonly origin: BeginEntry | null;
  readonly completes: readonly CompleteEntry[];
} {
  let origin: BeginEntry | null = null;
  let completes: CompleteEntry[] = [];
  for (const entry of entries) {
    if (entry.kind === 'complete') completes.push(entry);
    if (entry.kind !== 'begin' || entry.from.kind === 'latest') continue;
    origin = entry;
    completes = [];
  }
  return { origin, completes };
}

/** How often others may come in between; each time one of them has gone on. */
const triesMax = 100;

/**
 * Takes the job over from all attempts before.
 * @throws CHECKPOINT_FENCED where another one does the same and was later.
 */
export async function beginAttempt(
  disk: Disk,
  folder: string,
  { from, atMs }: Takeover,
): Promise<{ begin: Numbered<BeginEntry>; log: LogContent }> {
  for (let tries = 0; tries < triesMax; tries++) {
    const log = await readLog(disk, folder);
    const { torn, lastNumber, oldest, nextEpoch: epoch } = log;
    // What is shown to have happened must not be taken back by a power cut: its writer may have died before it synced.
    for (const number of log.numbers) await syncFile(disk, `${folder}/${entryName(number)}`);
    await disk.syncDir(folder);
    const number = lastNumber + 1;
    const common = { number, epoch, oldest, atMs };
    if (torn.includes(lastNumber)) {
      await tryAppend(disk, folder, { ...common, kind: 'fence' });
      continue; // Whoever has made it: what is torn behind it now is so for good.
    }
    const origin = resolveRestore(from, log.entries);
    const begin: Numbered<BeginEntry> = { ...common, kind: 'begin', from: origin, voids: torn };
    const outcome = await tryAppend(disk, folder, begin);
    if (outcome === 'last') return { begin, log };
    if (outcome === 'overtaken') break;
  }
  throw fencedError(folder, 0);
}
