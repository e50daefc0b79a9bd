/** What is asked of a sink's target before anything is written, however it is committed. */
import type { Disk } from '../../base/env/disk.ts';
import type { FileSinkOptions } from './file-options.ts';
import { occupiedError, parentMissingError } from './sink-errors.ts';
import type { SinkTarget } from './sink-target.ts';

/** Whether the user has said that the target is a folder; otherwise it is one if there is one. */
export function isMeantAsFolder({ path }: FileSinkOptions): boolean {
  return /[/\\]$/.test(path);
}

/** @throws SINK_PARENT_MISSING, SINK_UNWRITABLE. */
export async function checkParent(disk: Disk, { path, parent }: SinkTarget): Promise<void> {
  const stat = await disk.stat(parent);
  if (stat === null) throw parentMissingError(path, parent);
  if (stat.kind !== 'folder') throw occupiedError(path, `"${parent}" is no folder`);
}
