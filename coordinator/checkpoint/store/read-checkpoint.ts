/**
 * A checkpoint read back: its manifest, and whether every part that it names is whole. Whatever is missing, cut off or
 * changed is named. A disk that refuses to be read is an error of its own, unless it says so of one file only.
 *
 * Before: coordinator/checkpoint/store/folder-store.ts. After: coordinator/checkpoint/checkpoint-manifest.ts.
 */
import { crc32c } from '../../../base/checksum.ts';
import type { Disk, FileId } from '../../../base/env/disk.ts';
import { readWholeFile } from '../../../base/env/whole-files.ts';
import { codeOf } from '../../../base/typed-error.ts';
import type { SnapshotPart } from '../../../engine/checkpoint/task-snapshot.ts';
import {
  type CheckpointManifest,
  decodeManifest,
  manifestVersion,
  partsOf,
} from '../checkpoint-manifest.ts';
import { type Damage, newerVersionError } from './checkpoint-errors.ts';
import { pathBelow } from './checkpoint-paths.ts';

/** How much is read of each part: all of it, or nothing but how long its file is. */
export type CheckDepth = 'checksums' | 'sizes';

/**
 * Reads a manifest; null where there is none.
 * @throws CHECKPOINT_VERSION
 */
export async function readManifest(
  disk: Disk,
  path: string,
): Promise<{ manifest: CheckpointManifest; bytes: Uint8Array } | Damage | null> {
  const read = await unlessDamaged(path, () => readWholeFile(disk, path));
  if (read === null || 'problem' in read) return read;
  const decoded = decodeManifest(read);
  if (decoded.kind === 'newer') throw newerVersionError(path, decoded.version, manifestVersion);
  if (decoded.kind === 'damaged') return { path, problem: 'is not as it was written' };
  return { manifest: decoded.manifest, bytes: read };
}

/** The first part that is not as it was written; null when all are. */
export async function findDamage(
  disk: Disk,
  root: string,
  { manifest, depth }: { manifest: CheckpointManifest; depth: CheckDepth },
): Promise<Damage | null> {
  const byPath = Map.groupBy(partsOf(manifest), ({ path }) => path);
  for (const [path, parts] of byPath) {
    const full = pathBelow(root, path);
    if (full === null) return { path, problem: 'is outside of the folder' };
    const damage = await unlessDamaged(full, () => damageOf(disk, full, { parts, depth }));
    if (damage !== null) return damage;
  }
  return null;
}

async function damageOf(
  disk: Disk,
  path: string,
  { parts, depth }: { parts: readonly SnapshotPart[]; depth: CheckDepth },
): Promise<Damage | null> {
  const stat = await disk.stat(path);
  if (stat === null) return { path, problem: 'is missing' };
  const end = Math.max(...parts.map(({ byteOffset, sizeBytes }) => byteOffset + sizeBytes));
  if (stat.sizeBytes < end) return { path, problem: `ends at byte ${stat.sizeBytes} of ${end}` };
  if (depth === 'sizes') return null;
  const file = await disk.open(path, 'read');
  try {
    for (const part of parts) {
      const found = await checksumOf(disk, file, part);
      if (found === part.checksum) continue;
      const { byteOffset, sizeBytes } = part;
      const where = `from byte ${byteOffset} to ${byteOffset + sizeBytes}`;
      return { path, problem: `has another checksum than it should ${where}` };
    }
    return null;
  } finally {
    await disk.close(file);
  }
}

/** 1 MiB: a part is seldom more than four of it. */
export const chunkBytes = 1 << 20;

async function checksumOf(disk: Disk, file: FileId, part: SnapshotPart): Promise<number> {
  const chunk = new Uint8Array(Math.min(chunkBytes, part.sizeBytes));
  let checksum = 0;
  for (let done = 0; done < part.sizeBytes; done += chunk.length) {
    const wanted = chunk.subarray(0, Math.min(chunk.length, part.sizeBytes - done));
    const count = await disk.read(file, wanted, part.byteOffset + done);
    checksum = crc32c(wanted.subarray(0, count), checksum);
  }
  return checksum;
}

/**
 * Turns errors that a disk has with this file, and would not have with another, into damage. What can't be read is read
 * once more: to take an older checkpoint for nothing would write twice what came after it.
 */
async function unlessDamaged<T>(path: string, work: () => Promise<T>): Promise<T | Damage> {
  const first = await attempt(path, work);
  if (first.kind === 'unreadable') {
    const again = await attempt(path, work);
    return again.kind === 'answer' ? again.answer : { path, problem: 'can not be read' };
  }
  return first.answer;
}

type Attempt<T> = { kind: 'answer'; answer: T | Damage } | { kind: 'unreadable' };

async function attempt<T>(path: string, work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { kind: 'answer', answer: await work() };
  } catch (error) {
    switch (codeOf(error)) {
      case 'DISK_NOT_FOUND':
      case 'DISK_NOT_A_FOLDER':
        return { kind: 'answer', answer: { path, problem: 'is missing' } };
      case 'DISK_IS_A_FOLDER':
        return { kind: 'answer', answer: { path, problem: 'is a folder' } };
      case 'DISK_IO':
        return { kind: 'unreadable' };
      default:
        throw error;
    }
  }
}
