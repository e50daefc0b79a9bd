/**
 * Quantile columns: quantiles of the centroids of each segment, which come in the order of their means. The digest of
 * the last segment of a batch is open, and goes on in the next one.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import { digestLayout } from '../../kernels/digest-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf, float64Type } from '../../schema/field-type.ts';
import type { OperatorContext } from '../operator.ts';
import type { Rooms } from '../result-column.ts';
import type { GroupColumns } from './group-columns.ts';
import type { SegmentRecords } from './segment-records.ts';

export interface QuantileColumnsOptions {
  /** Indexes of the centroids' columns. */
  readonly means: number;
  readonly weights: number;
  /** From 0 to 1; a result for each. */
  readonly quantiles: readonly number[];
}

export class QuantileColumns implements GroupColumns {
  readonly #context: OperatorContext;
  readonly #options: QuantileColumnsOptions;
  /** The quantiles, and the open digest. */
  readonly #block: BlockHandle;
  readonly #quantiles: number;
  readonly #digest: number;

  constructor(context: OperatorContext, options: QuantileColumnsOptions) {
    const { scope } = context;
    const { quantiles } = options;
    this.#context = context;
    this.#options = options;
    this.#block = scope.allocate(quantiles.length * 8 + digestLayout.sizeBytes);
    this.#quantiles = addressOf(this.#block);
    this.#digest = this.#quantiles + quantiles.length * 8;
    scope.memory.float64.set(quantiles, this.#quantiles >>> 3);
    scope.memory.uint32[this.#digest >>> 2] = 0;
  }

  add(batch: Batch, { count, numbers }: SegmentRecords, rooms: Rooms): Column[] {
    const [means, weights] = [this.#options.means, this.#options.weights].map((index) => {
      const column = batch.columns[index];
      assert(column !== undefined, 'the column is in the batch');
      return column;
    }) as [Column, Column];
    const { out, validity } = this.#room(count, rooms);
    this.#context.kernels.foldDigests(
      ...([means.values, means.validity, weights.values, numbers, batch.rowCount] as const),
      ...([this.#digest, this.#quantiles, this.#count, out, count * 8, validity] as const),
    );
    return this.#columns(out, count, validity);
  }

  end(rooms: Rooms): Column[] {
    const { out, validity } = this.#room(1, rooms);
    const given = [this.#digest, this.#quantiles, this.#count, 0, out, 8, validity] as const;
    this.#context.kernels.endDigest(...given);
    return this.#columns(out, 1, validity);
  }

  close(): void {
    this.#context.scope.memory.release(this.#block);
  }

  get #count(): number {
    return this.#options.quantiles.length;
  }

  #room(count: number, rooms: Rooms): { out: number; validity: number } {
    const out = rooms.room(this.#count * count * 8);
    const validity = rooms.room(bitmapSizeOf(count));
    this.#context.scope.memory.bytes.fill(0, validity, validity + bitmapSizeOf(count));
    return { out, validity };
  }

  #columns(out: number, count: number, validity: number): Column[] {
    return this.#options.quantiles.map((_, at): Column => {
      return { type: float64Type, values: out + at * count * 8, validity };
    });
  }
}
