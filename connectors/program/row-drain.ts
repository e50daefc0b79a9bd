/**
 * The program's side of a sink: batches come through a ring, in order, and are handed on one by one. The
 * next is read when the one before was taken, so a slow program slows the job down.
 *
 * Before: connectors/program/program-writer.ts, in a slot thread · After: cli/program-ends.ts
 */
import type { Batch } from '../../engine/batch/batch.ts';
import { RingReader } from '../../engine/memory/ring.ts';
import { ChannelReader } from '../../engine/shuffle/channel-reader.ts';
import { isMark } from '../../engine/stream/stream-element.ts';
import type { ProgramEnd } from './row-feed.ts';

/** `ended`: all rows came; `failed`: the writer gave up; `stopped`: the job has ended before. */
export type DrainOutcome = 'ended' | 'failed' | 'stopped';

/**
 * Hands batches to `take`, which does not keep them.
 *
 * @throws What `take` throws.
 */
export async function drainRows(
  end: ProgramEnd,
  take: (batch: Batch) => void | Promise<void>,
): Promise<DrainOutcome> {
  const { schema, scope, kernels, bell, signal } = end;
  const ring = new RingReader(end.ring, end.wakeSlots);
  const channel = new ChannelReader({ scope, kernels, schema, ring });
  try {
    for (;;) {
      const seen = bell.count();
      const element = channel.read();
      if (element === 'end') return 'ended';
      if (element === 'failed') return 'failed';
      if (element === 'waiting') {
        if (signal.aborted) return 'stopped';
        await bell.wait(seen);
        continue;
      }
      if (isMark(element)) continue; // A program takes rows; how far time has come is not told.
      try {
        await take(element);
      } finally {
        element.release();
      }
    }
  } finally {
    channel.close();
  }
}
