/**
 * What of a job's folder nobody needs any more, and removing it. A file is needed while the manifest of a checkpoint that
 * is kept names it, whichever checkpoint it was written for: so increments stay as long as something is built on them.
 *
 * Left alone are the files of checkpoints under way, which are those behind the newest complete one, and those of later
 * attempts: a process that wakes up removes nothing of its successor's.
 *
 * Before: coordinator/checkpoint/store/folder-store.ts. After: coordinator/checkpoint/store/read-checkpoint.ts.
 */
import type { Disk } from '../../../base/env/disk.ts';
import { partsOf } from '../checkpoint-manifest.ts';
import type { CompleteEntry, LogEntry, Numbered } from './checkpoint-log.ts';
import {
  type CheckpointFolder,
  entryName,
  logFolder,
  parseCheckpointFolder,
  parseEntryName,
} from './checkpoint-paths.ts';
import { readManifest } from './read-checkpoint.ts';

interface Keeping {
  /** How many that are whole. */
  readonly keptMax: number;
  /** Those that are not: they are kept as long as they would be, and not counted. */
  readonly damagedIds: ReadonlySet<number>;
  /** Kept in any case. */
  readonly copiedIds: ReadonlySet<number>;
}

/** The entries of the checkpoints that are kept, oldest first. */
export function keptOf(
  entries: readonly Numbered<LogEntry>[],
  { keptMax, damagedIds, copiedIds }: Keeping,
): Numbered<CompleteEntry>[] {
  const kept: Numbered<CompleteEntry>[] = [];
  let wholeCount = 0;
  for (const entry of entries.toReversed()) {
    if (entry.kind !== 'complete') continue;
    if (wholeCount < keptMax || copiedIds.has(entry.checkpointId)) kept.push(entry);
    if (!damagedIds.has(entry.checkpointId)) wholeCount++;
  }
  return kept.reverse();
}

interface Kept {
  readonly kept: readonly CompleteEntry[];
  readonly damagedIds: ReadonlySet<number>;
  /** Of the attempt that removes. */
  readonly epoch: number;
  /** Number of the first entry of the log that counts. */
  readonly oldest: number;
}

export async function removeUnneeded(disk: Disk, root: string, options: Kept): Promise<void> {
  const { kept, epoch, oldest } = options;
  const named = await namedFiles(disk, root, options);
  if (named === null) return;
  const newestId = kept.at(-1)?.checkpointId ?? 0;
  for (const { name } of await disk.list(root)) {
    const folder = parseCheckpointFolder(name);
    if (folder === null || isInUse(folder, { newestId, epoch })) continue;
    await removeFrom(disk, root, { name, named });
  }
  for (const { name } of await disk.list(`${root}/${logFolder}`)) {
    const number = parseEntryName(name);
    if (number !== null && number < oldest) {
      await disk.unlink(`${root}/${logFolder}/${entryName(number)}`);
    }
  }
}

function isInUse(
  folder: CheckpointFolder,
  { newestId, epoch }: { newestId: number; epoch: number },
): boolean {
  return folder.epoch > epoch || (folder.epoch === epoch && folder.checkpointId > newestId);
}

/** All that is needed, below the root; null where that can't be said now, for a manifest can't be read. */
async function namedFiles(
  disk: Disk,
  root: string,
  { kept, damagedIds }: Kept,
): Promise<ReadonlySet<string> | null> {
  const named = new Set<string>();
  for (const { manifest: path, checkpointId } of kept) {
    named.add(path);
    const read = await readManifest(disk, `${root}/${path}`);
    if (read !== null && 'manifest' in read) {
      for (const part of partsOf(read.manifest)) named.add(part.path);
    } else if (!damagedIds.has(checkpointId)) return null;
  }
  return named;
}

async function removeFrom(
  disk: Disk,
  root: string,
  { name, named }: { name: string; named: ReadonlySet<string> },
): Promise<void> {
  let neededCount = 0;
  const files = await disk.list(`${root}/${name}`);
  for (const file of files) {
    const path = `${name}/${file.name}`;
    if (named.has(path)) neededCount++;
    else if (file.kind !== 'folder') await disk.unlink(`${root}/${path}`);
  }
  if (neededCount === 0) await disk.removeTree(`${root}/${name}`);
}
