/**
 * A column in the making, for results of the reference: a block with the values of all stored rows
 * and, behind them, the validity bitmap where there may be nulls. Rows are stored rows, so it lies
 * beside the batch's columns and shares its selection; rows that are not set may be anything.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { Column } from '../batch/batch.ts';
import { NestedBuffer, nestedEncoderOf } from '../batch/nested-encode.ts';
import { TextArena } from '../batch/text-arena.ts';
import { utf8ViewSize } from '../batch/utf8-view.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import { fieldOf } from '../schema/schema.ts';
import type { Expr } from './expr.ts';
import { exactTypeOf } from './nested-values.ts';
import type { Value } from './value.ts';

export class ResultColumn {
  readonly #scope: MemoryScope;
  readonly #column: Column;
  readonly #block: BlockHandle;
  readonly #arena: TextArena;
  readonly #write: (row: number, value: never) => void;

  constructor(scope: MemoryScope, { type, nullable }: Expr, storedRows: number) {
    this.#scope = scope;
    const valuesSize = Math.ceil(valuesSizeOf(type, storedRows) / 8) * 8;
    const validitySize = nullable ? bitmapSizeOf(storedRows) : 0;
    this.#block = scope.allocate(valuesSize + validitySize);
    const values = addressOf(this.#block);
    const validity = nullable ? values + valuesSize : 0;
    const { bytes } = scope.memory;
    // Views of rows that nobody sets must not point anywhere.
    if (layoutOf(type) !== 'fixed') bytes.fill(0, values, values + valuesSize);
    if (nullable) bytes.fill(0, validity, validity + validitySize);
    this.#column = { type, values, validity };
    this.#arena = new TextArena(scope);
    this.#write = this.#writer();
  }

  set(row: number, value: Value): void {
    const { validity } = this.#column;
    if (value === null) {
      assert(validity !== 0, 'only nullable expressions have nulls');
      return;
    }
    if (validity !== 0) this.#setBit(validity, row);
    this.#write(row, value as never);
  }

  /** The column, and its blocks, which the caller owns from now on. */
  finish(): { column: Column; blocks: BlockHandle[] } {
    return { column: this.#column, blocks: [this.#block, ...this.#arena.blocks] };
  }

  discard(): void {
    for (const block of this.finish().blocks) this.#scope.memory.release(block);
  }

  #writer(): (row: number, value: never) => void {
    const { type, values } = this.#column;
    const { bytes, int16, uint16, int32, uint32, float32, float64, bigInt64 } = this.#scope.memory;
    switch (type.kind) {
      case 'bool':
        return (row, value) => {
          if (value) this.#setBit(values, row);
        };
      case 'int8':
      case 'uint8':
        return arrayWriter(bytes, values);
      case 'int16':
        return arrayWriter(int16, values >>> 1);
      case 'uint16':
        return arrayWriter(uint16, values >>> 1);
      case 'int32':
      case 'date':
        return arrayWriter(int32, values >>> 2);
      case 'uint32':
        return arrayWriter(uint32, values >>> 2);
      case 'float32':
        return arrayWriter(float32, values >>> 2);
      case 'float64':
        return arrayWriter(float64, values / 8);
      case 'int64':
      case 'timestamp':
        return arrayWriter(bigInt64, values / 8);
      case 'decimal':
        return (row, value: bigint) => {
          bigInt64[values / 8 + row * 2] = BigInt.asIntN(64, value);
          bigInt64[values / 8 + row * 2 + 1] = value >> 64n;
        };
      case 'utf8':
        return (row, value) => this.#arena.writeText(values + row * utf8ViewSize, value);
      case 'binary':
        return (row, value) => this.#arena.writeBytes(values + row * utf8ViewSize, value);
      case 'list':
      case 'struct':
        return this.#nestedWriter();
      default:
        return assertNever(type);
    }
  }

  #nestedWriter(): (row: number, value: Value) => void {
    const { type, values } = this.#column;
    const encode = nestedEncoderOf(fieldOf('', exactTypeOf(type)));
    const buffer = new NestedBuffer();
    return (row, value) => {
      buffer.clear();
      encode(buffer, value);
      this.#arena.writeBytes(values + row * utf8ViewSize, buffer.written);
    };
  }

  #setBit(bitmap: number, index: number): void {
    const { bytes } = this.#scope.memory;
    const at = bitmap + (index >>> 3);
    bytes[at] = (bytes[at] ?? 0) | (1 << (index & 7));
  }
}

/** Writes into an array of one number per row, the first row's at `start`. */
function arrayWriter<T extends number | bigint>(
  array: { [index: number]: T },
  start: number,
): (row: number, value: T) => void {
  return (row, value) => {
    array[start + row] = value;
  };
}
