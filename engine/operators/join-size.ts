/**
 * How a join divides its share of the memory: what it keeps of the build side, and what going on with rows
 * on disk takes besides (engine/operators/partition-size.ts).
 */
import { batchRowsMax } from '../batch/batch.ts';
import { joinTableBytesOf } from '../kernels/join-table.ts';
import type { KeyForm } from '../kernels/key-layout.ts';
import { ownedRowsBytesMin } from '../stream/owned-rows.ts';
import type { HashJoinOptions } from './join-options.ts';
import { probeScratchBytes } from './join-probe.ts';
import { type PartitionSize, partitionSizeOf } from './partition-size.ts';

/** Keys of a batch with their places; twice, for both sides have some. */
const keyScratchBytes = 2 * batchRowsMax * 28;

export function joinSizeOf(
  { probe, build, output }: HashJoinOptions,
  keyForm: KeyForm | null,
  shareBytes: number,
): PartitionSize {
  // Either side may be the one that is kept, once both are on disk.
  const rowsMin = Math.max(ownedRowsBytesMin(probe), ownedRowsBytesMin(build));
  return partitionSizeOf(
    {
      batches: [probe, build, output],
      writers: 1,
      tables: 1,
      scratchBytes: probeScratchBytes + keyScratchBytes,
      tableBytesMin: rowsMin + joinTableBytesOf({ keyForm, rowCount: batchRowsMax }),
    },
    shareBytes,
  );
}
