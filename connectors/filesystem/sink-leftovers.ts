/**
 * What attempts that died left beside a target, and what becomes of it when the next one prepares.
 *
 *     ….old, target missing    died between the two renames: put back, it is all there is
 *     ….old, target there      died after them: removed
 *     ….tmp, ….new             removed when nothing in it changed for 24 hours, for its job may run
 */
import type { Disk } from '../../base/env/disk.ts';
import { pathIn } from './file-path.ts';
import { type HiddenName, parseHiddenName, type SinkTarget } from './sink-target.ts';

const leftoverAgeMsMin = 24 * 60 * 60 * 1000;

/** Puts the folder back that a dead attempt had moved out of the way, if there is one. */
export async function restoreReplacedFolder(disk: Disk, target: SinkTarget): Promise<void> {
  if ((await disk.stat(target.path)) !== null) return;
  let newest: string | null = null;
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const { path, kind } of await hiddenOf(disk, target)) {
    const modifiedMs = kind === 'old' ? (await disk.stat(path))?.modifiedMs : undefined;
    if (modifiedMs === undefined || modifiedMs <= newestMs) continue;
    newest = path;
    newestMs = modifiedMs;
  }
  if (newest === null) return;
  await disk.rename(newest, target.path);
  await disk.syncDir(target.parent);
}

/** @param now - The disk's own time in ms, which need not be this machine's. */
export async function removeLeftovers(disk: Disk, target: SinkTarget, now: number): Promise<void> {
  const hasTarget = (await disk.stat(target.path)) !== null;
  for (const { path, kind, attemptId } of await hiddenOf(disk, target)) {
    if (attemptId === target.attemptId) continue;
    const isLeft =
      kind === 'old' ? hasTarget : now - (await changedMsOf(disk, path)) > leftoverAgeMsMin;
    if (!isLeft) continue;
    if (kind === 'written') await disk.unlink(path);
    else await disk.removeTree(path);
  }
}

async function hiddenOf(
  disk: Disk,
  target: SinkTarget,
): Promise<(HiddenName & { readonly path: string })[]> {
  const found: (HiddenName & { readonly path: string })[] = [];
  for (const { name } of await disk.list(target.parent)) {
    const hidden = parseHiddenName(target, name);
    if (hidden !== null) found.push({ ...hidden, path: pathIn(target.parent, name) });
  }
  return found;
}

/** When the file, or anything in the folder, was last written. */
async function changedMsOf(disk: Disk, path: string): Promise<number> {
  const stat = await disk.stat(path);
  if (stat === null) return Number.POSITIVE_INFINITY;
  let changedMs = stat.modifiedMs;
  if (stat.kind !== 'folder') return changedMs;
  for (const { name } of await disk.list(path)) {
    const entry = await disk.stat(pathIn(path, name));
    changedMs = Math.max(changedMs, entry?.modifiedMs ?? 0);
  }
  return changedMs;
}
