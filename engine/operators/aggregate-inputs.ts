/**
 * What the accumulators of an aggregate read of a batch. A column that lies there as its accumulator
 * wants it is read in place; others are converted into scratch columns, which have room for a batch, are
 * made once, and hold until the next batch.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { ColumnAddress } from '../kernels/group-table.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { widenOf } from '../kernels/widen-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { AccumulatorInput } from './aggregate-plan.ts';

const nowhere: ColumnAddress = { values: 0, validity: 0 };

/** Bytes of the moments of a row: count, mean, m2. */
const momentsBytes = 24;

export class AggregateInputs {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #inputs: readonly AccumulatorInput[];
  readonly #blocks = new Map<string, BlockHandle>();
  /** Of the batch at hand, as what follows. */
  readonly #addresses: ColumnAddress[];
  readonly #widenedColumns = new Map<number, ColumnAddress>();

  constructor(scope: MemoryScope, kernels: Kernels, inputs: readonly AccumulatorInput[]) {
    this.#scope = scope;
    this.#kernels = kernels;
    this.#inputs = inputs;
    this.#addresses = inputs.map(() => nowhere);
  }

  /**
   * One address per accumulator; the list is the same one for every batch.
   * @param arrivals - By input column whose distinct values are counted: the bitmap of those.
   */
  read(batch: Batch, arrivals: ReadonlyMap<number, number>): readonly ColumnAddress[] {
    this.#widenedColumns.clear();
    const addresses = this.#addresses;
    for (let index = 0; index < addresses.length; index++) {
      addresses[index] = this.#addressOf(batch, this.#inputs[index] as AccumulatorInput, arrivals);
    }
    return addresses;
  }

  #addressOf(
    batch: Batch,
    input: AccumulatorInput,
    arrivals: ReadonlyMap<number, number>,
  ): ColumnAddress {
    const widened = this.#widenedColumns;
    switch (input.kind) {
      case 'nothing':
        return nowhere;
      case 'column':
        return this.#widened(batch, input.index, widened);
      case 'float64':
        return this.#float64(batch, input.index, widened);
      case 'moments':
        return this.#moments(batch, input.indexes);
      default:
        return { values: 0, validity: arrivals.get(input.index) ?? 0 };
    }
  }

  close(): void {
    for (const block of this.#blocks.values()) this.#scope.memory.release(block);
    this.#blocks.clear();
  }

  #widened(batch: Batch, index: number, known: Map<number, ColumnAddress>): ColumnAddress {
    const before = known.get(index);
    if (before !== undefined) return before;
    const column = columnOf(batch, index);
    const widen = widenOf(this.#kernels, column.type);
    if (widen === null) return column;
    const values = this.#scratch(`wide ${index}`, 8);
    widen(column.values, batch.storedRows, values);
    const address = { values, validity: column.validity };
    known.set(index, address);
    return address;
  }

  #float64(batch: Batch, index: number, known: Map<number, ColumnAddress>): ColumnAddress {
    const { type } = columnOf(batch, index);
    const widened = this.#widened(batch, index, known);
    if (type.kind === 'float64' || type.kind === 'float32') return widened;
    const { values, validity } = widened;
    const out = this.#scratch(`float64 ${index}`, 8);
    const { storedRows } = batch;
    if (type.kind === 'decimal') {
      this.#kernels.int128ToFloat64(values, storedRows, 10 ** type.scale, out);
    } else {
      this.#kernels.int64ToFloat64(values, storedRows, out);
    }
    return { values: out, validity };
  }

  #moments(batch: Batch, indexes: readonly number[]): ColumnAddress {
    const out = this.#scratch(`moments ${indexes.join()}`, momentsBytes);
    const columns = indexes.map((index) => columnOf(batch, index));
    for (const [place, { values }] of columns.entries()) {
      const { packKey8 } = this.#kernels;
      packKey8(values, 0, 0, batch.storedRows, 0, out + place * 8, momentsBytes);
    }
    return { values: out, validity: columns[0]?.validity ?? 0 };
  }

  #scratch(name: string, valueBytes: number): number {
    let block = this.#blocks.get(name);
    if (block === undefined) {
      block = this.#scope.allocate(batchRowsMax * valueBytes);
      this.#blocks.set(name, block);
    }
    return addressOf(block);
  }
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'the column is in the batch');
  return column;
}
