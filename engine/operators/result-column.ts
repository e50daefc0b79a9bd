/**
 * Results of accumulators as columns. What cells give is 8 or 16 bytes wide; it is narrowed, divided or rooted
 * into a column of the output.
 */
import { assert } from '../../base/assert.ts';
import type { Column } from '../batch/batch.ts';
import type { ColumnAddress } from '../kernels/group-cells.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { narrowOf } from '../kernels/widen-kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import type { AggregateResult } from './aggregate-plan.ts';

export interface ResultOptions {
  readonly memory: SlotMemory;
  readonly result: AggregateResult;
  readonly field: Field;
  readonly columns: readonly ColumnAddress[];
  readonly rowCount: number;
  readonly room: (sizeBytes: number) => number;
}

export function resultColumn(kernels: Kernels, options: ResultOptions): ColumnAddress {
  const { memory, result, field, columns, rowCount, room } = options;
  const of = (column: number): ColumnAddress => {
    const address = columns[column];
    assert(address !== undefined, 'a result is made of columns of the table');
    return address;
  };
  if (result.kind === 'zero') {
    const values = room(valuesSizeOf(field.type, rowCount));
    memory.bytes.fill(0, values, values + valuesSizeOf(field.type, rowCount));
    return { values, validity: 0 };
  }
  const isNullable = field.nullable && canBeNull(result);
  const validity = isNullable ? of(validityColumnOf(result)).validity : 0;
  if (result.kind === 'plain') {
    const { values } = of(result.column);
    const narrow = narrowOf(kernels, field.type);
    if (narrow === null) return { values, validity };
    const out = room(valuesSizeOf(field.type, rowCount));
    narrow(values, rowCount, out);
    return { values: out, validity };
  }
  const out = room(valuesSizeOf(field.type, rowCount));
  if (result.kind === 'average') {
    const [sums, counts] = [of(result.sum).values, of(result.count).values];
    if (result.divisor === null) kernels.averageOfFloat64(sums, counts, rowCount, out);
    else kernels.averageOfInt128(sums, counts, rowCount, result.divisor, out);
    return { values: out, validity };
  }
  const { lost, isRoot } = result;
  const [counts, m2] = [of(result.count).values, of(result.m2).values];
  // The bitmap may be that of other results as well, and bits are cleared in it.
  const own = validity === 0 ? 0 : room(bitmapSizeOf(rowCount));
  if (own !== 0) kernels.take1Bit(validity, 0, rowCount, own);
  kernels.varianceOf(counts, m2, rowCount, lost, Number(isRoot), out, own);
  return { values: out, validity: own };
}

/** Whether there may be no result: a count is always there. */
export function canBeNull(
  result: AggregateResult,
): result is Exclude<AggregateResult, { readonly kind: 'zero' }> {
  return result.kind !== 'zero' && !(result.kind === 'plain' && result.isCount === true);
}

/** The result column that says whether there is a result. */
export function validityColumnOf(result: Exclude<AggregateResult, { kind: 'zero' }>): number {
  if (result.kind === 'plain') return result.column;
  return result.kind === 'average' ? result.sum : result.count;
}

/** Blocks of memory that are released together, unless a batch takes them. */
export class Rooms {
  readonly #scope: MemoryScope;
  #blocks: BlockHandle[] = [];

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  get blocks(): readonly BlockHandle[] {
    return this.#blocks;
  }

  room(sizeBytes: number): number {
    const block = this.#scope.allocate(sizeBytes);
    this.#blocks.push(block);
    return addressOf(block);
  }

  /** Takes over blocks that were allocated elsewhere. */
  own(blocks: readonly BlockHandle[]): void {
    this.#blocks.push(...blocks);
  }

  retain(blocks: readonly BlockHandle[]): void {
    for (const block of blocks) {
      this.#scope.memory.retain(block);
      this.#blocks.push(block);
    }
  }

  /** Takes the blocks of another over that columns point to. */
  take(from: Rooms, columns: readonly Column[]): void {
    const used = new Set(columns.flatMap(({ values, validity }) => [values, validity]));
    const isUsed = (block: BlockHandle) => used.has(addressOf(block));
    this.#blocks.push(...from.#blocks.filter(isUsed));
    from.#blocks = from.#blocks.filter((block) => !isUsed(block));
  }

  release(): void {
    for (const block of this.#blocks) this.#scope.memory.release(block);
    this.#blocks = [];
  }
}
