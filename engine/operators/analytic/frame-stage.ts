/**
 * Frame stage: aggregates over a frame of rows, by what the frame ends with.
 *
 *     rows         each row: known at once
 *     range        the row's peers: known when they have ended
 *     partition    the last row of the partition
 *
 * Rows whose segment may go on in the next batch wait:
 *
 *     batch    a a b | b b b | b b b | b c c       the first one, whole, and those of b alone, which may be any
 *              waits   waits   waits   b is known  number: they wait on disk where memory is short
 *
 * When b has ended the first one gets the results of its segments, the others the one of b. So results are
 * kept of one batch only, however long a partition is.
 */
import type { Batch, Column } from '../../batch/batch.ts';
import { batchRowsMax } from '../../batch/batch.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { Frame } from '../../plan/analytic-functions.ts';
import type { Field, Schema } from '../../schema/schema.ts';
import { takeColumn } from '../../stream/take-column.ts';
import { type AggregateColumnOptions, planAggregates } from '../aggregate-plan.ts';
import type { OperatorContext } from '../operator.ts';
import { Rooms } from '../result-column.ts';
import { RowQueue } from './row-queue.ts';
import { type RowStage, widened } from './row-stage.ts';
import { SegmentCells } from './segment-cells.ts';
import { SortedBatch } from './segment-marks.ts';
import type { SegmentRecords } from './segment-records.ts';

export interface FrameStageOptions {
  readonly frame: Frame;
  readonly input: Schema;
  /** The columns of the input, then a field for each aggregate. */
  readonly output: Schema;
  readonly aggregates: readonly AggregateColumnOptions[];
  /** What rows that wait may hold. */
  readonly bytesMax: number;
}

interface Waiting {
  readonly rows: SortedBatch;
  readonly records: SegmentRecords;
}

export class FrameStage implements RowStage {
  readonly #context: OperatorContext;
  readonly #before: RowStage;
  readonly #options: FrameStageOptions;
  readonly #fields: readonly Field[];
  readonly #cells: SegmentCells;
  readonly #queue: RowQueue;
  /** Marks that each row is a segment; or numbers that all rows are of the first one. */
  readonly #constant: BlockHandle;
  /** The batch in which the segment that goes on began. */
  #first: Waiting | null = null;
  /** The batch in which it ended. */
  #arrived: Waiting | null = null;
  /** The record of the segment that has ended, while rows that waited for it go out. */
  #ended: SegmentRecords | null = null;
  #isAtEnd = false;

  constructor(context: OperatorContext, before: RowStage, options: FrameStageOptions) {
    const { frame, input, output, aggregates, bytesMax } = options;
    const { scope } = context;
    this.#context = context;
    this.#before = before;
    this.#options = options;
    this.#fields = output.fields.slice(input.fields.length);
    const plan = planAggregates(input, 'whole', aggregates);
    this.#queue = new RowQueue(context, { schema: input, bytesMax, name: frame });
    this.#constant = scope.allocate(batchRowsMax * 4);
    this.#cells = new SegmentCells(context, plan, frame !== 'partition');
    const constant = addressOf(this.#constant);
    const mark = Number(frame === 'rows');
    scope.memory.bytes.fill(mark, constant, constant + batchRowsMax * 4);
  }

  next(): SortedBatch | 'more' | 'end' {
    if (this.#ended !== null) {
      const rows = this.#nextWaiting(this.#ended);
      if (rows !== null) return rows;
    }
    if (this.#isAtEnd) return 'end';
    const rows = this.#before.next();
    if (rows === 'more') return rows;
    if (rows === 'end') {
      this.#isAtEnd = true;
      if (this.#first === null) return 'end';
      this.#ended = this.#cells.carried?.retain() ?? null;
      return 'more';
    }
    return this.#take(rows);
  }

  close(): void {
    for (const waiting of [this.#first, this.#arrived]) {
      waiting?.rows.release();
      waiting?.records.release();
    }
    this.#ended?.release();
    this.#first = null;
    this.#arrived = null;
    this.#ended = null;
    this.#context.scope.memory.release(this.#constant);
    this.#cells.close();
    this.#queue.close();
  }

  /** Takes rows over: they go out, or wait. */
  #take(rows: SortedBatch): SortedBatch | 'more' {
    const { frame } = this.#options;
    const { batch, partitions, peers } = rows;
    let records: SegmentRecords;
    try {
      const marks = { rows: addressOf(this.#constant), range: peers, partition: partitions }[frame];
      records = this.#cells.add(batch, { marks, partitions });
    } catch (error) {
      rows.release();
      throw error;
    }
    if (frame === 'rows') return this.#filled({ rows, records });
    if (this.#first === null) {
      this.#first = { rows, records };
    } else if (records.count === 1) {
      records.release();
      this.#queue.push(batch.retain());
      rows.release();
    } else {
      this.#arrived = { rows, records };
      this.#ended = records.retain();
    }
    return 'more';
  }

  /** The next of the rows that have waited; null when there is none any more. */
  #nextWaiting(ended: SegmentRecords): SortedBatch | null {
    const first = this.#first;
    if (first !== null) {
      this.#first = null;
      if (first.records !== ended) first.records.endLast(ended);
      return this.#filled(first);
    }
    const batch = this.#queue.take();
    if (batch !== null) return this.#filledAlike(batch, ended);
    this.#first = this.#arrived;
    this.#arrived = null;
    this.#ended = null;
    ended.release();
    return null;
  }

  /** The rows with the results of their segments. */
  #filled({ rows, records }: Waiting): SortedBatch {
    try {
      return this.#withResults(rows, records, { count: records.count, numbers: records.numbers });
    } finally {
      records.release();
    }
  }

  /** Rows that are all of one segment, whose record is the first one. */
  #filledAlike(batch: Batch, ended: SegmentRecords): SortedBatch {
    const rows = new SortedBatch(batch, null);
    return this.#withResults(rows, ended, { count: 1, numbers: addressOf(this.#constant) });
  }

  #withResults(
    rows: SortedBatch,
    records: SegmentRecords,
    { count, numbers }: { readonly count: number; readonly numbers: number },
  ): SortedBatch {
    const { scope, kernels } = this.#context;
    const { rowCount } = rows.batch;
    const make = (rooms: Rooms): Column[] => {
      const scratch = new Rooms(scope);
      const blocks: BlockHandle[] = [];
      try {
        const options = { fields: this.#fields, rooms: scratch };
        const results = this.#cells.results(records, count, options);
        const target = { scope, kernels, blocks };
        return results.map((column) => takeColumn(target, column, numbers, rowCount));
      } finally {
        rooms.own(blocks);
        rooms.retain(records.arenas);
        scratch.release();
      }
    };
    return widened(scope, rows, { schema: this.#options.output, make });
  }
}
