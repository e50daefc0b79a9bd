/**
 * Channel writer: the sending end of an exchange. It is the last outbox of a chain: takes a batch,
 * gives each row to the channel that the partitioner names, and never waits.
 *
 *     offer ─▶ current batch, rows by channel ─┬─▶ channel 0 ─▶ ring
 *                                              ├─▶ channel 1 ─▶ ring   full: its rows stay here;
 *                                              └─▶ …                   the others go on
 *
 * While rows of the current batch wait for a full ring, `offer` answers false: that is backpressure.
 * Rows that do not fill a message go out when the input is idle, or after 2 ms.
 *
 * Invariants:
 * - What it holds is bounded: one batch, and per channel one batch being gathered and one message; and the overdraft, which
 *   a barrier uses that overtakes rows.
 * - Rows of one channel keep their order.
 * Before: engine/stream/outbox.ts. After: engine/memory/ring.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import type { Outbox } from '../stream/outbox.ts';
import type { StreamMark } from '../stream/stream-element.ts';
import type { ChannelOutput } from './channel-output.ts';
import type { Partitioned, Partitioner } from './partitioner.ts';

/** How long rows may wait for more. */
const flushAfterMs = 2;

export interface ChannelWriterOptions {
  readonly partitioner: Partitioner;
  readonly channels: readonly ChannelOutput[];
  readonly mono: () => number;
  /**
   * The file that all channels write to: rows wait until they fill a message, for nobody reads before
   * the end. @defaultValue channels are rings
   */
  readonly file?: { readonly partitionBytes: readonly number[]; close(): void } | null;
}

export class ChannelWriter implements Outbox {
  readonly #options: ChannelWriterOptions;
  #current: Batch | null = null;
  #partitioned: Partitioned = { rows: 0, starts: [], ends: [] };
  /** Per channel the next of its rows in `#partitioned`. */
  readonly #positions: number[];
  /** Channels that a mark has not gone to yet; null when there is none on its way. */
  #unmarked: readonly ChannelOutput[] | null = null;
  /** When rows first stayed behind; -1 when none do. */
  #gatheringSince = -1;

  constructor(options: ChannelWriterOptions) {
    this.#options = options;
    this.#positions = options.channels.map(() => 0);
  }

  /** Whether a ring is full and something waits for it. */
  get isBlocked(): boolean {
    return (
      this.#current !== null ||
      this.#unmarked !== null ||
      this.#options.channels.some((channel) => channel.isFull)
    );
  }

  /** Indexes of the channels whose rings have no room for what waits. */
  fullChannels(): number[] {
    const { ends } = this.#partitioned;
    const hasRest = (index: number) =>
      this.#current !== null && this.#positions[index]! < ends[index]!;
    const { channels } = this.#options;
    return channels.flatMap((channel, index) => (channel.isFull || hasRest(index) ? [index] : []));
  }

  /** Bytes of each partition of the file; null where channels are rings. */
  get partitionBytes(): readonly number[] | null {
    return this.#options.file?.partitionBytes ?? null;
  }

  offer(batch: Batch): boolean {
    if (!this.pump()) return false;
    this.#partitioned = this.#options.partitioner.partition(batch);
    this.#current = batch;
    const { starts } = this.#partitioned;
    this.#positions.forEach((_, channel) => {
      this.#positions[channel] = starts[channel]!;
    });
    try {
      this.pump();
    } catch (error) {
      this.#current = null; // As it was not taken over, the caller keeps it.
      throw error;
    }
    return true;
  }

  /** Sends a mark behind all rows, to all channels; false when a ring is full: call again with the same. */
  mark(mark: StreamMark): boolean {
    if (!this.pump()) return false;
    this.#unmarked ??= this.#options.channels;
    this.#unmarked = this.#unmarked.filter((channel) => !channel.mark(mark));
    this.#noteGathering();
    if (this.#unmarked.length > 0) return false;
    this.#unmarked = null;
    return true;
  }

  /** Whether channels without room take rows and marks all the same, as long as the overdraft lasts. */
  setOverdraft(hasOverdraft: boolean): void {
    for (const channel of this.#options.channels) channel.setOverdraft(hasOverdraft);
  }

  /**
   * Sends a barrier ahead of all that has not gone out, which it answers copies of, by channel: they belong to the checkpoint. Of
   * channels that have the barrier already, in their turn, nothing does. Null: a batch is not all taken; call again.
   */
  overtake(barrier: Barrier): readonly (readonly Uint8Array<ArrayBuffer>[])[] | null {
    if (!this.pump()) return null;
    const left = this.#unmarked ?? this.#options.channels;
    this.#unmarked = null;
    return this.#options.channels.map((channel) => {
      return left.includes(channel) ? channel.overtake(barrier) : [];
    });
  }

  /** Goes on with the current batch and waiting messages; true when the batch is all taken. */
  pump(): boolean {
    const { channels } = this.#options;
    const batch = this.#current;
    if (batch === null) {
      for (const channel of channels) channel.pump();
      return true;
    }
    let isDone = true;
    channels.forEach((channel, index) => {
      if (!this.#send(batch, channel, index)) isDone = false;
    });
    if (!isDone) return false;
    this.#current = null;
    batch.release();
    this.#noteGathering();
    return true;
  }

  /** Sends gathered rows: all when `isIdle`, else those older than 2 ms. */
  flush(isIdle: boolean): void {
    if (this.#gatheringSince < 0 || this.#options.file) return;
    if (!isIdle && this.#options.mono() - this.#gatheringSince < flushAfterMs) return;
    this.#flushAll();
  }

  /** Sends all that is left and the end marks; false when a ring is full: call again. */
  finish(): boolean {
    if (!this.pump() || !this.#flushAll()) return false;
    for (const channel of this.#options.channels) channel.end();
    return true;
  }

  /** Marks all channels as failed. */
  fail(): void {
    for (const channel of this.#options.channels) channel.fail();
  }

  close(): void {
    this.#current?.release();
    this.#current = null;
    for (const channel of this.#options.channels) channel.close();
    this.#options.partitioner.close();
    this.#options.file?.close(); // Last, for a disk may fail, and memory must be released.
  }

  #send(batch: Batch, channel: ChannelOutput, index: number): boolean {
    const { rows, ends } = this.#partitioned;
    const end = ends[index]!;
    const position = this.#positions[index]!;
    if (position === end) {
      channel.pump();
      return true;
    }
    assert(rows !== 0 || position === 0, 'rows without a list are taken all at once');
    const listed = rows === 0 ? 0 : rows + position * 4;
    const next = position + channel.append(batch, listed, end - position);
    this.#positions[index] = next;
    return next === end;
  }

  #flushAll(): boolean {
    let isFlushed = true;
    for (const channel of this.#options.channels) {
      if (!channel.flush()) isFlushed = false;
    }
    this.#noteGathering();
    return isFlushed;
  }

  #noteGathering(): void {
    const { channels, mono } = this.#options;
    if (!channels.some((channel) => channel.hasRows)) this.#gatheringSince = -1;
    else if (this.#gatheringSince < 0) this.#gatheringSince = mono();
  }
}
