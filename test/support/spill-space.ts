/** A place to spill to, in memory, for tests of operators. */
import type { SyncDisk } from '../../base/env/disk.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import type { SpillSpace } from '../../engine/spill/spill-space.ts';
import { MemoryDisk } from './memory-disk.ts';

export interface TestSpillSpace extends SpillSpace {
  writtenBytes: number;
}

/** @param shareBytes - What the operator may hold. @defaultValue more than any test needs */
export function spillSpace(
  shareBytes = 192 << 20,
  disk: SyncDisk = new MemoryDisk(),
): TestSpillSpace {
  const space: TestSpillSpace = {
    disk,
    folder: 'spill/job/task',
    prefix: '0',
    share: shareOf(shareBytes),
    writtenBytes: 0,
    onWritten: (bytes) => {
      space.writtenBytes += bytes;
    },
  };
  return space;
}

/** A share of exactly these bytes. */
export function shareOf(bytes: number): MemoryShare {
  const one = { weight: 1, slotCount: 1 };
  return new MemoryShare({
    ...one,
    budgetBytes: new MemoryShare({ ...one, budgetBytes: 1 }).totalFor(bytes),
  });
}
