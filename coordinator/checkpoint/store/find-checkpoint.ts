/**
 * Which checkpoint to go on from: the newest one that the log calls complete and that is whole, or the one that a user
 * names. What is not whole is named, and the one before is looked at; where none is left, that is an error, for to begin
 * anew would write everything twice.
 *
 * Before: coordinator/checkpoint/store/folder-store.ts. After: coordinator/checkpoint/store/read-checkpoint.ts.
 */
import { crc32c } from '../../../base/checksum.ts';
import type { Disk } from '../../../base/env/disk.ts';
import { folderOf } from '../../../base/env/whole-files.ts';
import { type Damage, damagedError, notFoundError } from './checkpoint-errors.ts';
import { type CompleteEntry, type LogContent, lineOf } from './checkpoint-log.ts';
import { manifestName, parseCheckpointFolder, pathBelow } from './checkpoint-paths.ts';
import type {
  DamagedCheckpoint,
  FoundCheckpoint,
  LatestCheckpoint,
  ListedCheckpoint,
} from './checkpoint-store.ts';
import { type CheckDepth, findDamage, readManifest } from './read-checkpoint.ts';

interface LogAndDepth {
  readonly log: LogContent;
  readonly depth: CheckDepth;
}

/** @throws CHECKPOINT_DAMAGED where there are some and none is whole. */
export async function latestOf(
  disk: Disk,
  root: string,
  { log, depth }: LogAndDepth,
): Promise<LatestCheckpoint> {
  const { origin, completes } = lineOf(log.entries);
  const damaged: DamagedCheckpoint[] = [];
  for (const entry of completes.toReversed()) {
    const read = await readEntry(disk, root, { entry, depth });
    if (!('problem' in read)) return { found: read, damaged };
    damaged.push({ checkpointId: entry.checkpointId, ...read });
  }
  const [newest] = damaged;
  if (newest !== undefined) throw damagedError(root, newest);
  if (origin?.from.kind !== 'savepoint') return { found: null, damaged };
  return { found: await checkpointAt(disk, origin.from.path, depth), damaged };
}

async function readEntry(
  disk: Disk,
  root: string,
  { entry, depth }: { entry: CompleteEntry; depth: CheckDepth },
): Promise<FoundCheckpoint | Damage> {
  const path = pathBelow(root, entry.manifest);
  if (path === null) return { path: entry.manifest, problem: 'is outside of the folder' };
  const read = await readManifest(disk, path);
  if (read === null) return { path, problem: 'is missing' };
  if ('problem' in read) return read;
  const { manifest, bytes } = read;
  const isNamed = bytes.length === entry.manifestBytes && crc32c(bytes) === entry.manifestChecksum;
  if (!isNamed) return { path, problem: 'is not the one that the log names' };
  const damage = await findDamage(disk, root, { manifest, depth });
  return damage ?? { manifest, root, path: folderOf(path) };
}

/**
 * The checkpoint or savepoint in a folder.
 * @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED, CHECKPOINT_VERSION
 */
export async function checkpointAt(
  disk: Disk,
  folder: string,
  depth: CheckDepth = 'checksums',
): Promise<FoundCheckpoint> {
  const path = folder.length > 1 ? folder.replace(/\/+$/, '') : folder;
  const read = await readManifest(disk, `${path}/${manifestName}`);
  if (read === null) throw notFoundError(path, await checkpointFolders(disk, path));
  if ('problem' in read) {
    if (read.problem !== 'is missing') throw damagedError(path, read);
    throw notFoundError(path, []);
  }
  const { manifest } = read;
  const root = manifest.pathsFrom === 'job' ? folderOf(path) : path;
  const damage = await findDamage(disk, root, { manifest, depth });
  if (damage !== null) throw damagedError(path, damage);
  return { manifest, root, path };
}

async function checkpointFolders(disk: Disk, path: string): Promise<string[]> {
  if ((await disk.stat(path))?.kind !== 'folder') return [];
  const names = (await disk.list(path)).map(({ name }) => name);
  return names
    .filter((name) => parseCheckpointFolder(name) !== null)
    .sort((a, b) => idOf(a) - idOf(b))
    .map((name) => `${path}/${name}`);
}

function idOf(name: string): number {
  return parseCheckpointFolder(name)?.checkpointId ?? 0;
}

/** Those that are complete, oldest first, then those that have begun. */
export async function listOf(
  disk: Disk,
  root: string,
  { log, depth }: LogAndDepth,
): Promise<readonly ListedCheckpoint[]> {
  const completes = log.entries.filter((entry) => entry.kind === 'complete');
  const listed: ListedCheckpoint[] = [];
  for (const entry of completes) {
    const read = await readEntry(disk, root, { entry, depth });
    const { checkpointId, epoch, checkpointKind: kind, atMs: createdMs } = entry;
    const { durationMs, sizeBytes } = entry;
    const problem = 'problem' in read ? `${read.path} ${read.problem}` : '';
    const state = problem === '' ? 'complete' : 'damaged';
    const path = `${root}/${folderOf(entry.manifest)}`;
    const statistics = 'problem' in read ? null : read.manifest.statistics;
    const facts = { kind, createdMs, durationMs, sizeBytes, statistics };
    listed.push({ checkpointId, epoch, path, state, problem, ...facts });
  }
  const newest = completes.at(-1);
  for (const path of await checkpointFolders(disk, root)) {
    const folder = parseCheckpointFolder(path.slice(root.length + 1));
    if (folder === null) continue;
    const isLater =
      newest === undefined ||
      (folder.checkpointId > newest.checkpointId && folder.epoch >= newest.epoch);
    if (!isLater) continue; // Of an older one, with what newer ones need of it.
    const nothing = { createdMs: null, durationMs: null, sizeBytes: null, statistics: null };
    const facts = { kind: null, ...nothing };
    listed.push({ ...folder, path, state: 'unfinished', problem: '', ...facts });
  }
  return listed;
}
