/**
 * Adapted rows: rows of a snapshot whose columns are not those that the operator keeps now. Columns are found by name, and
 * taken as they lie; wider numbers are copied, a column that is new is null, one that is gone is left out. Whether this can be
 * has been asked before the job began (coordinator/compatibility/compare-columns.ts).
 *
 * Before: engine/operators/own-rows.ts. After: engine/schema/evolution.ts.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { decoderOf } from '../batch/nested-decode.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../memory/slot-memory.ts';
import { isAdaptable } from '../schema/evolution.ts';
import {
  bitmapSizeOf,
  type FieldType,
  isSameType,
  valueSizeOf,
  valuesSizeOf,
} from '../schema/field-type.ts';
import { type Field, fieldIndexOf, type Schema, schemaText } from '../schema/schema.ts';

/** Whether rows of the one are read as rows of the other without a look at their columns. */
export function isSameRows({ fields: old }: Schema, { fields: now }: Schema): boolean {
  const isSame = ({ name, type, nullable }: Field, at: number) => {
    const other = now[at];
    return other?.name === name && other.nullable === nullable && isSameType(other.type, type);
  };
  return old === now || (old.length === now.length && old.every(isSame));
}

/** The rows with the columns of `schema`, which the caller owns beside the batch. @throws STATE_CHANGED, MEMORY_EXHAUSTED */
export function adaptedRows(scope: MemoryScope, batch: Batch, schema: Schema): Batch {
  const blocks: BlockHandle[] = [];
  try {
    const columns = schema.fields.map((now) => {
      const at = fieldIndexOf(batch.schema, now.name);
      const [was, column] = [batch.schema.fields[at], batch.columns[at]];
      const make = new ColumnMaker(scope, batch.storedRows, blocks);
      if (was === undefined || column === undefined) {
        if (!now.nullable) throw changed(batch.schema, schema);
        return make.nulls(now.type);
      }
      if (!isAdaptable(was, now)) throw changed(batch.schema, schema);
      return isSameType(was.type, now.type)
        ? { ...column, type: now.type }
        : make.widened(column, now.type);
    });
    return batch.derive({ schema, columns, blocks });
  } catch (error) {
    for (const block of blocks) scope.memory.release(block);
    throw error;
  }
}

class ColumnMaker {
  readonly #scope: MemoryScope;
  readonly #rows: number;
  readonly #blocks: BlockHandle[];

  /** @param blocks - Are added to. */
  constructor(scope: MemoryScope, rows: number, blocks: BlockHandle[]) {
    this.#scope = scope;
    this.#rows = rows;
    this.#blocks = blocks;
  }

  nulls(type: FieldType): Column {
    const values = this.#allocate(valuesSizeOf(type, this.#rows));
    return { type, values, validity: this.#allocate(bitmapSizeOf(this.#rows)) };
  }

  widened({ type: from, values, validity }: Column, to: FieldType): Column {
    const out = this.#allocate(valuesSizeOf(to, this.#rows));
    const { memory } = this.#scope;
    const read = decoderOf(from, { memory, name: '', notSafe: noBigints }) as ReadNumber;
    const write = writerOf(to, memory);
    const [fromSize, toSize] = [valueSizeOf(from), valueSizeOf(to)];
    for (let row = 0; row < this.#rows; row++)
      write(out + row * toSize, read(values + row * fromSize, fromSize));
    return { type: to, values: out, validity };
  }

  /** Zeroes: nulls, where they are a bitmap. */
  #allocate(sizeBytes: number): number {
    const size = Math.max(8, sizeBytes);
    const block = this.#scope.allocate(size);
    this.#blocks.push(block);
    const address = addressOf(block);
    this.#scope.memory.bytes.fill(0, address, address + size);
    return address;
  }
}

/** Numbers that others are wider than have less than 64 bits. */
type ReadNumber = (at: number, size: number) => number;

function noBigints(): never {
  return assert(false, 'no number of 64 bits is widened') as never;
}

function writerOf({ kind }: FieldType, { view }: SlotMemory): (at: number, value: number) => void {
  switch (kind) {
    case 'int16':
    case 'uint16':
      return (at, value) => view.setInt16(at, value, true);
    case 'int32':
    case 'uint32':
      return (at, value) => view.setInt32(at, value, true);
    case 'int64':
      return (at, value) => view.setBigInt64(at, BigInt(value), true);
    case 'float32':
      return (at, value) => view.setFloat32(at, value, true);
    default:
      return (at, value) => view.setFloat64(at, value, true);
  }
}

function changed(was: Schema, now: Schema) {
  return typedError(
    'STATE_CHANGED',
    `rows were kept with ${schemaText(was)}, and are kept with ${schemaText(now)}`,
    {
      hint: 'Let the operator keep the columns that it kept when the checkpoint was taken, or start the job without the checkpoint.',
    },
  );
}
