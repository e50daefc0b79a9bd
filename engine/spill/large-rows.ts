/**
 * Large rows: those that have more bytes than a block of a spill file, which then have a block of their own.
 * Who has to keep within a share asks for the largest one before it puts rows on disk, for a writer copies it,
 * and each reader has one of them in hand.
 *
 * After: engine/spill/spill-writer.ts
 */
import type { Batch } from '../batch/batch.ts';
import { bodyHeaderBytes, isView, partBytesOf } from '../batch/body-layout.ts';
import type { Kernels } from '../kernels/kernels.ts';

/** Bytes of the largest row as it goes to disk; 0 where all of them are smaller than `blockBytes`. */
export function largeRowBytesOf(kernels: Kernels, batch: Batch, blockBytes: number): number {
  const { columns, rowCount, selection } = batch;
  const texts = columns.filter(({ type }) => isView(type)).map(({ values }) => values);
  const all = texts.reduce((sum, at) => sum + kernels.utf8SizeOf(at, selection, rowCount), 0);
  const fixed = columns.reduce((sum, { type }) => sum + partBytesOf(type, 1) + 16, 0);
  const besides = bodyHeaderBytes(columns.length) + fixed;
  if (all + besides <= blockBytes) return 0;
  const largest = besides + largestText(batch, texts);
  return largest > blockBytes ? largest : 0;
}

/** The most that the texts of a row have together. */
function largestText(batch: Batch, texts: readonly number[]): number {
  const { uint32 } = batch.memory;
  let largest = 0;
  for (let row = 0; row < batch.rowCount; row++) {
    const stored = batch.storedRowOf(row);
    let sizeBytes = 0;
    for (let at = 0; at < texts.length; at++) {
      sizeBytes += uint32[((texts[at] ?? 0) >>> 2) + stored * 4] ?? 0;
    }
    if (sizeBytes > largest) largest = sizeBytes;
  }
  return largest;
}
