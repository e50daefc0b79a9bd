/**
 * Savepoint: a checkpoint copied with all that it needs into a folder of the user's, which nothing of ours removes or
 * changes later. Each part is checked on its way; the manifest is written last, so a folder without one is no savepoint.
 *
 * Contract: what the checkpoint's sinks had prepared has been committed (not checked).
 *
 * On disk: docs/formats/checkpoint.md.
 * Before: coordinator/checkpoint/store/folder-store.ts. After: coordinator/checkpoint/store/find-checkpoint.ts.
 */
import { crc32c } from '../../../base/checksum.ts';
import type { Disk, FileId } from '../../../base/env/disk.ts';
import { createWholeFile, folderOf } from '../../../base/env/whole-files.ts';
import type { SnapshotPart } from '../../../engine/checkpoint/task-snapshot.ts';
import { type CheckpointManifest, encodeManifest, partsOf } from '../checkpoint-manifest.ts';
import { damagedError, targetTakenError } from './checkpoint-errors.ts';
import { manifestName, pathBelow } from './checkpoint-paths.ts';
import type { FoundCheckpoint } from './checkpoint-store.ts';
import { chunkBytes } from './read-checkpoint.ts';

/**
 * Makes the folder, and a file in it that goes again: so that nobody hears only when all is done that it can't be written to.
 * @throws SAVEPOINT_TARGET_TAKEN, and errors of the disk.
 */
export async function checkTarget(disk: Disk, folder: string): Promise<void> {
  await checkEmpty(disk, folder);
  await disk.makeDir(folder);
  const probe = `${folder}/.probe`;
  await disk.close(await disk.open(probe, 'createNew'));
  await disk.unlink(probe);
}

async function checkEmpty(disk: Disk, folder: string): Promise<void> {
  const isThere = (await disk.stat(folder)) !== null;
  if (isThere && (await disk.list(folder)).length > 0) throw targetTakenError(folder);
}

/** @throws SAVEPOINT_TARGET_TAKEN, CHECKPOINT_DAMAGED, and errors of the disk; then nothing of it is left. */
export async function copySavepoint(
  disk: Disk,
  checkpoint: FoundCheckpoint,
  folder: string,
): Promise<void> {
  await checkEmpty(disk, folder);
  await disk.makeDir(folder);
  const made: string[] = [];
  try {
    const moved = new Map<SnapshotPart, SnapshotPart>();
    const byPath = Map.groupBy(partsOf(checkpoint.manifest), ({ path }) => path);
    for (const [path, parts] of byPath) {
      const name = `${String(made.length + 1).padStart(4, '0')}.arrow`;
      made.push(`${folder}/${name}`);
      const copied = await copyParts(disk, checkpoint, { path, parts, name, folder });
      for (const [index, part] of parts.entries()) moved.set(part, copied[index] ?? part);
    }
    const manifest = encodeManifest(movedManifest(checkpoint.manifest, moved));
    made.push(`${folder}/${manifestName}`);
    await createWholeFile(disk, `${folder}/${manifestName}`, manifest);
    await disk.syncDir(folderOf(folder));
  } catch (error) {
    // The reason is what counts; what can't be removed now has no manifest.
    for (const path of made.toReversed()) await disk.unlink(path).catch(() => undefined);
    throw error;
  }
}

function movedManifest(
  manifest: CheckpointManifest,
  moved: ReadonlyMap<SnapshotPart, SnapshotPart>,
): CheckpointManifest {
  const tasks = manifest.tasks.map((task) => ({
    ...task,
    operators: task.operators.map((operator) => ({
      ...operator,
      parts: operator.parts.map((part) => moved.get(part) ?? part),
    })),
  }));
  // All that it names is committed: who starts from here, perhaps with another output, has nothing to make up for.
  return { ...manifest, tasks, writes: {}, kind: 'savepoint', pathsFrom: 'manifest' };
}

interface PartsOfFile {
  readonly path: string;
  readonly parts: readonly SnapshotPart[];
  readonly name: string;
  readonly folder: string;
}

/** Copies what is needed of one file; answers with where each part is now. */
async function copyParts(
  disk: Disk,
  { root, path: checkpointPath }: FoundCheckpoint,
  { path, parts, name, folder }: PartsOfFile,
): Promise<SnapshotPart[]> {
  const from = pathBelow(root, path);
  if (from === null)
    throw damagedError(checkpointPath, { path, problem: 'is outside of the folder' });
  const copied: SnapshotPart[] = [];
  const source = await disk.open(from, 'read');
  try {
    const target = await disk.open(`${folder}/${name}`, 'createNew');
    try {
      let byteOffset = 0;
      for (const part of parts) {
        const checksum = await copyBytes(disk, { source, target, part, byteOffset });
        if (checksum !== part.checksum) {
          throw damagedError(checkpointPath, { path: from, problem: 'has another checksum' });
        }
        copied.push({ ...part, path: name, byteOffset });
        byteOffset += part.sizeBytes;
      }
      await disk.fsync(target);
    } finally {
      await disk.close(target);
    }
  } finally {
    await disk.close(source);
  }
  return copied;
}

interface PartCopy {
  readonly source: FileId;
  readonly target: FileId;
  readonly part: SnapshotPart;
  readonly byteOffset: number;
}

/** The checksum of what was copied. */
async function copyBytes(
  disk: Disk,
  { source, target, part, byteOffset }: PartCopy,
): Promise<number> {
  const chunk = new Uint8Array(Math.min(chunkBytes, part.sizeBytes));
  let checksum = 0;
  for (let done = 0; done < part.sizeBytes; done += chunk.length) {
    const wanted = chunk.subarray(0, Math.min(chunk.length, part.sizeBytes - done));
    const count = await disk.read(source, wanted, part.byteOffset + done);
    const bytes = wanted.subarray(0, count);
    await disk.write(target, bytes, byteOffset + done);
    checksum = crc32c(bytes, checksum);
  }
  return checksum;
}
