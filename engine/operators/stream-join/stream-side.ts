/**
 * One side of a join of streams: its rows, in segments by time, and how rows of a batch get into them.
 *
 *     slices of 4 s   [0, 4) 812 rows   [4, 8) 790 rows   [8, 12) 12 rows          event time is at 9 s
 *                      └─ closed as a whole once no partner of any of its rows can come
 *
 * Slices are aligned. A batch whose times reach over many of them is cut into longer ones, so that rows that
 * are far between make no segment each. A slice of many rows has several segments.
 *
 * Before: engine/operators/stream-join/interval-join-operator.ts · After: engine/operators/stream-join/join-segment.ts
 */
import { closeAll } from '../../../base/close-all.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import type { KeysOfBatch } from '../group-keys.ts';
import { JoinKeys } from '../join-keys.ts';
import type { OperatorContext } from '../operator.ts';
import type { BandScratch } from './band-scratch.ts';
import { JoinSegment, type JoinSegmentOptions } from './join-segment.ts';
import { joinStateTooLarge } from './join-state-too-large.ts';

export interface StreamSideOptions extends Omit<JoinSegmentOptions, 'keyForm' | 'start' | 'end'> {
  readonly keys: readonly string[];
  /** Length of a slice, in the unit of times. */
  readonly slice: number;
  readonly bands: BandScratch;
}

/** Rows of a batch with their times, of which a list is put in. */
export interface TimedBatch {
  readonly batch: Batch;
  /** Address of `count` stored rows, and of their times; both are used up. */
  readonly rows: number;
  readonly times: number;
  readonly count: number;
  /** Of these rows. */
  readonly least: number;
  readonly most: number;
}

/** Slices of one batch; with more of them they are longer. */
const slicesMax = 8;
/** Within the range of int64, beyond all times. */
export const timeMax = 2 ** 62;

export class StreamSide {
  readonly #context: OperatorContext;
  readonly #options: StreamSideOptions;
  readonly #keys: JoinKeys;
  #segments: JoinSegment[] = [];

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: StreamSideOptions) {
    const { scope, kernels } = context;
    const { schema, keys } = options;
    this.#context = context;
    this.#options = options;
    this.#keys = new JoinKeys(scope, kernels, { schema, keys });
  }

  get segments(): readonly JoinSegment[] {
    return this.#segments;
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Least time of all rows that count; infinity where there are none. */
  get least(): number {
    return this.#segments.reduce((least, segment) => Math.min(least, segment.least), Infinity);
  }

  get areKeysByPlace(): boolean {
    return this.#keys.areTransient;
  }

  /** The keys of a batch's rows; they hold until the next call. */
  readKeys(batch: Batch): KeysOfBatch {
    return this.#keys.read(batch);
  }

  /** Segments with rows whose times are from `low` to `high`. */
  within(low: number, high: number): JoinSegment[] {
    return this.#segments.filter(({ least, most }) => most >= low && least <= high);
  }

  /** A segment all of whose times are below `bound`; null: there is none. */
  expired(bound: number): JoinSegment | null {
    return this.#segments.find(({ most }) => most < bound) ?? null;
  }

  /** A segment that has times below `bound`; null: there is none. */
  reachingBelow(bound: number): JoinSegment | null {
    return this.#segments.find(({ least }) => least < bound) ?? null;
  }

  remove(segment: JoinSegment): void {
    this.detach(segment);
    segment.close();
  }

  /** Leaves a segment to the caller: rows that are put in go to others. */
  detach(segment: JoinSegment): void {
    this.#segments = this.#segments.filter((other) => other !== segment);
  }

  /**
   * Copies rows.
   * @param room - What all segments of the join may take, less what those of the other side take.
   * @throws JOIN_STATE_TOO_LARGE, MEMORY_EXHAUSTED
   */
  put(timed: TimedBatch, room: number): void {
    const { kernels, scope } = this.#context;
    const { partRows, partTimes, counts } = this.#options.bands;
    const slice = this.#sliceFor(timed);
    let { least } = timed;
    for (let left = timed.count; left > 0; ) {
      const segment = this.#segmentFor(least, slice);
      const high = segment.end;
      const args = [timed.rows, timed.times, left] as const;
      const moved = kernels.rowsBefore(...args, high, partRows, partTimes, counts);
      // A number that float64 can't hold may seem to be in a slice that it is not in.
      const count =
        moved > 0 ? moved : kernels.rowsBefore(...args, timeMax, partRows, partTimes, counts);
      const most = Math.min(timed.most, high);
      this.#append(segment, { batch: timed.batch, count, least, most, room });
      left -= count;
      least = scope.memory.float64[counts >>> 3] ?? timeMax;
    }
  }

  close(): void {
    closeAll([...this.#segments, this.#keys]);
    this.#segments = [];
  }

  #sliceFor({ least, most }: TimedBatch): number {
    let { slice } = this.#options;
    while (most - least > slice * slicesMax) slice *= 2;
    return slice;
  }

  /** The last segment that takes rows of a time. */
  #segmentFor(time: number, slice: number): JoinSegment {
    const found = this.#segments.findLast(({ start, end }) => time >= start && time < end);
    if (found?.hasRoomFor(batchRowsMax) === true) return found;
    const start = found?.start ?? Math.floor(time / slice) * slice;
    const end = found?.end ?? start + slice;
    const keyForm = this.#keys.form;
    const segment = new JoinSegment(this.#context, { ...this.#options, keyForm, start, end });
    this.#segments.push(segment);
    return segment;
  }

  #append(
    segment: JoinSegment,
    part: { batch: Batch; count: number; least: number; most: number; room: number },
  ): void {
    const { partRows, partTimes, bits } = this.#options.bands;
    const { count, least, most } = part;
    const batch = part.batch.derive({ rowCount: count, selection: partRows });
    try {
      const textBytes = this.#keys.transientBytesOf(batch);
      const held = this.sizeBytes - segment.sizeBytes + segment.sizeBytesWith(batch, textBytes);
      if (held > part.room) throw joinStateTooLarge(this.#context, held - part.room);
      const keys = this.#compactKeys(batch);
      segment.append({ batch, keys, times: partTimes, bits }, least, most);
    } finally {
      batch.release();
    }
  }

  /** Keys without gaps. */
  #compactKeys(batch: Batch): number {
    const { kernels } = this.#context;
    const { keys: room } = this.#options.bands;
    const { values, selection } = this.#keys.read(batch);
    if (this.#keys.areTransient && selection === 0) return values;
    const take = this.#keys.form === 'int64' ? kernels.take8 : kernels.take16;
    take(values, batch.selection, batch.rowCount, room);
    return room;
  }
}
