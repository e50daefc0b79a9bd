/**
 * Sorted rows: rows by partition and order, in batches that know where a partition begins, and where peers begin
 * (segment-marks.ts).
 * Before: engine/operators/external-sorter.ts · After: engine/operators/analytic/analytic-operator.ts
 */
import type { Batch } from '../../batch/batch.ts';
import { ascending } from '../../stream/row-order.ts';
import { ExternalSorter, type HeldRows } from '../external-sorter.ts';
import type { OperatorContext } from '../operator.ts';
import { SegmentMarks, type SegmentMarksOptions, type SortedBatch } from './segment-marks.ts';

export class SortedRows {
  readonly #sorter: ExternalSorter;
  readonly #marks: SegmentMarks;

  constructor(context: OperatorContext, options: SegmentMarksOptions) {
    const { schema, partition, order } = options;
    this.#marks = new SegmentMarks(context, options);
    this.#sorter = new ExternalSorter(context, {
      schema,
      order: [...partition.map(ascending), ...order],
    });
  }

  /** Rows offered since the start or the last `clear`. */
  get rowCount(): number {
    return this.#sorter.rowCount;
  }

  /** Whether the batch can be taken at once; else rows go to disk for it. */
  hasRoomFor(batch: Batch): boolean {
    return this.#sorter.hasRoomFor(batch);
  }

  /** Takes all rows of the batch, without taking it over; false when the slice ended before there was room. */
  offer(batch: Batch): boolean {
    return this.#sorter.offer(batch);
  }

  /** All rows, as of `ExternalSorter`. */
  held(): HeldRows {
    return this.#sorter.held();
  }

  /** No more rows come: works for a slice; true when `next` may be called. */
  arrange(): boolean {
    return this.#sorter.arrange();
  }

  /** The next rows, or null at the end. The caller owns them. */
  next(): SortedBatch | null {
    const batch = this.#sorter.next();
    return batch === null ? null : this.#marks.mark(batch);
  }

  /** Forgets all rows. */
  clear(): void {
    this.#marks.clear();
    this.#sorter.clear();
  }

  close(): void {
    this.#marks.clear();
    this.#sorter.close();
  }
}
