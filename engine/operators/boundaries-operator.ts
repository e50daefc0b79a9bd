/**
 * Boundaries: of a sample of rows the ones that divide it into parts of the same size, in an order. What
 * comes in is the sample, what goes out is a row less than there are ranges, or fewer where the sample is
 * small; of a sample without rows none.
 *
 *     d a g c e b f, 3 ranges   ─▶   c e
 *
 * A sample is small by its making (engine/operators/sample-reader.ts). Where keys are so large that it is not,
 * what comes after 16 MiB of it is left out: the ranges are then less even.
 */
import type { Batch } from '../batch/batch.ts';
import { addressOf } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { RowCollector } from '../stream/row-collector.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';
import { RowSorter } from './row-sorter.ts';

const sampleBytesMax = 16 << 20;

export interface BoundariesOperatorOptions {
  /** Of the sample. */
  readonly input: Schema;
  /** The columns of the order. */
  readonly output: Schema;
  readonly order: readonly OrderColumn[];
  /** Ranges, from 2 on. */
  readonly rangeCount: number;
}

export class BoundariesOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: BoundariesOperatorOptions;
  readonly #columns: readonly number[];
  readonly #sorter: RowSorter;
  readonly #chosen: RowCollector;
  readonly #pending = new PendingBatch();
  #isSorted = false;

  constructor(context: OperatorContext, options: BoundariesOperatorOptions) {
    const { scope, kernels } = context;
    const { input, output: schema, order } = options;
    this.#context = context;
    this.#options = options;
    this.#columns = schema.fields.map(({ name }) => fieldIndexOf(input, name));
    this.#chosen = new RowCollector({ scope, kernels, schema });
    this.#sorter = new RowSorter(context, { schema, order });
  }

  process(batch: Batch): number {
    const { output: schema } = this.#options;
    const columns = this.#columns.flatMap((index) => batch.columns[index] ?? []);
    const keys = batch.derive({ schema, columns });
    try {
      if (this.#sorter.peakBytesWith(keys) <= sampleBytesMax) this.#sorter.add(keys);
    } finally {
      keys.release();
    }
    return batch.rowCount;
  }

  finish(outbox: Outbox): boolean {
    this.#sorter.seal();
    while (!this.#isSorted) {
      this.#isSorted = this.#sorter.sortSlice();
      if (!this.#isSorted && this.#context.shouldYield()) return false;
    }
    return this.#pending.offer(outbox, () => this.#choose());
  }

  close(): void {
    this.#pending.close();
    this.#sorter.close();
    this.#chosen.close();
  }

  /** The rows at even distances; null when there are none. */
  #choose(): Batch | null {
    const { rangeCount } = this.#options;
    const { rowCount } = this.#sorter;
    const places = new Set(
      Array.from({ length: rangeCount - 1 }, (_, at) =>
        Math.floor(((at + 1) * rowCount) / rangeCount),
      ),
    );
    let first = 0;
    for (let batch = this.#sorter.next(); batch !== null; batch = this.#sorter.next()) {
      const end = first + batch.rowCount;
      const own = [...places].filter((place) => place >= first && place < end);
      try {
        this.#collect(
          batch,
          own.map((place) => place - first),
        );
      } finally {
        batch.release();
      }
      first = end;
    }
    return this.#chosen.rowCount === 0 ? null : this.#chosen.build();
  }

  #collect(batch: Batch, rows: readonly number[]): void {
    const { scope } = this.#context;
    const list = scope.allocate(Math.max(1, rows.length) * 4);
    try {
      scope.memory.uint32.set(rows, addressOf(list) >>> 2);
      this.#chosen.append(batch, addressOf(list), rows.length);
    } finally {
      scope.memory.release(list);
    }
  }
}
