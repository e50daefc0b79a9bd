/**
 * Group keys: the key columns of batches as keys of a group table, and back. How they are laid out is
 * in engine/kernels/key-layout.ts.
 *
 *     batch ──read──▶ a key per row of the selection ──▶ table ──▶ a key per group ──write──▶ columns
 *
 * Keys of several columns are packed into scratch that holds one batch; a single column is read where
 * it lies, or widened.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { ColumnAddress } from '../kernels/group-table.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { PackKey, UnpackKey } from '../kernels/key-kernels.ts';
import { type KeyForm, type KeyLayout, type KeyPart, keyLayoutOf } from '../kernels/key-layout.ts';
import { keyBitsOf, narrowOf } from '../kernels/widen-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import {
  bitmapSizeOf,
  type FieldType,
  layoutOf,
  valueSizeOf,
  valuesSizeOf,
} from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';

/** Keys of a batch: those of the rows of `selection`, or, where it is 0, of the first rows. */
export interface KeysOfBatch extends ColumnAddress {
  readonly selection: number;
}

/** Scratch of one batch: keys or views, and for views places, sizes and cursors. */
const keysBytes = batchRowsMax * 16;
const listBytes = batchRowsMax * 4;
/** A text is copied 8 bytes at a time, up to 7 past its end. */
const slackBytes = 8;

export class GroupKeys {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #indexes: readonly number[];
  readonly #layout: KeyLayout;
  #scratch: BlockHandle = 0;
  /** Bytes of keys that are runs; grows to the largest batch. */
  #runs: BlockHandle = 0;

  constructor(
    scope: MemoryScope,
    kernels: Kernels,
    { schema, keys }: { readonly schema: Schema; readonly keys: readonly string[] },
  ) {
    this.#scope = scope;
    this.#kernels = kernels;
    this.#indexes = keys.map((key) => fieldIndexOf(schema, key));
    this.#layout = keyLayoutOf(
      this.#indexes.map((index) => {
        const field = schema.fields[index];
        assert(field !== undefined, 'the keys of an aggregate are in its input');
        return field;
      }),
    );
  }

  get form(): KeyForm {
    return this.#layout.form;
  }

  /** Bytes of a key that is a view, besides its texts. */
  get headBytes(): number {
    return this.#layout.headBytes;
  }

  /** The keys of a batch's rows; they hold until the next call. */
  read(batch: Batch): KeysOfBatch {
    const columns = new Array<Column>(this.#indexes.length);
    for (let at = 0; at < columns.length; at++) {
      const column = batch.columns[this.#indexes[at] ?? -1];
      assert(column !== undefined, 'a batch has the columns of its schema');
      columns[at] = column;
    }
    const { isPlain, form } = this.#layout;
    const [only] = columns;
    if (isPlain && only) return this.#readPlain(batch, only);
    return form === 'view' ? this.#readRuns(batch, columns) : this.#readPacked(batch, columns);
  }

  /**
   * Key columns of groups.
   * @param keys - `count` keys as the table gives them, and the validity of a plain one.
   * @param room - Memory of the batch to be made.
   */
  write(
    keys: ColumnAddress,
    count: number,
    room: (sizeBytes: number) => number,
  ): { readonly validity: number; readonly values: number }[] {
    const { isPlain, parts, form } = this.#layout;
    const [only] = parts;
    if (isPlain && only) return [this.#writePlain(keys, only.type, count, room)];
    const at = form === 'view' ? this.#locate(keys.values, count) : null;
    const stride = form === 'int64' ? 8 : 16;
    return parts.map((part) => {
      const from = { places: at ?? 0, keys: at === null ? keys.values : 0, stride };
      return this.#writePart(part, from, count, room);
    });
  }

  close(): void {
    for (const block of [this.#scratch, this.#runs]) {
      if (block !== 0) this.#scope.memory.release(block);
    }
    this.#scratch = 0;
    this.#runs = 0;
  }

  #readPlain(batch: Batch, { type, values, validity }: Column): KeysOfBatch {
    const { selection, storedRows } = batch;
    const widen = keyBitsOf(this.#kernels, type);
    if (widen === null) return { values, validity, selection };
    const { keys } = this.#room();
    widen(values, storedRows, keys);
    return { values: keys, validity, selection };
  }

  #readPacked({ rowCount, selection }: Batch, columns: readonly Column[]): KeysOfBatch {
    const { keys } = this.#room();
    const to = { places: 0, keys, stride: this.#layout.form === 'int64' ? 8 : 16 };
    this.#packHeads(columns, { selection, rowCount, ...to });
    return { values: keys, validity: 0, selection: 0 };
  }

  #readRuns({ rowCount, selection }: Batch, columns: readonly Column[]): KeysOfBatch {
    const { headBytes, alignMask } = this.#layout;
    const kernels = this.#kernels;
    const { keys, places, sizes, cursors } = this.#room();
    const { uint32 } = this.#scope.memory;
    uint32.fill(headBytes, sizes >>> 2, (sizes >>> 2) + rowCount);
    uint32.fill(headBytes, cursors >>> 2, (cursors >>> 2) + rowCount);
    for (let index = 0; index < columns.length; index++) {
      const { type, values, validity } = columns[index] as Column;
      if (layoutOf(type) !== 'view') continue;
      kernels.addKeySizes(values, validity, selection, rowCount, alignMask, sizes);
    }
    const sizeBytes = kernels.placeKeys(sizes, rowCount, 0, places) >>> 0;
    const runs = this.#runsOf(sizeBytes + slackBytes);
    kernels.placeKeys(sizes, rowCount, runs, places);
    // Between aligned texts there are bytes that nobody writes.
    if (alignMask !== 0) this.#scope.memory.bytes.fill(0, runs, runs + sizeBytes);
    for (let index = 0; index < columns.length; index++) {
      const { type, values, validity } = columns[index] as Column;
      if (layoutOf(type) !== 'view') continue;
      kernels.packKeyText(values, validity, selection, rowCount, places, alignMask, cursors);
    }
    this.#packHeads(columns, { selection, rowCount, places, keys: 0, stride: 0 });
    kernels.viewKeys(places, sizes, rowCount, keys);
    return { values: keys, validity: 0, selection: 0 };
  }

  /** Null bits, fixed values, lengths of texts. */
  #packHeads(
    columns: readonly Column[],
    to: { selection: number; rowCount: number; places: number; keys: number; stride: number },
  ): void {
    const { selection, rowCount, places, keys, stride } = to;
    const { parts } = this.#layout;
    const hasNulls = parts.some((part) => part.nullBit >= 0);
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index];
      const column = columns[index];
      assert(part !== undefined && column !== undefined, 'a layout has a part for each column');
      const { values, validity } = column;
      if (hasNulls) {
        const byte = keys + (index >>> 3);
        this.#kernels.packKeyNulls(validity, selection, rowCount, index & 7, places, byte, stride);
      }
      const pack = packOf(this.#kernels, part.type);
      pack(values, validity, selection, rowCount, places, keys + part.offset, stride);
    }
  }

  #writePlain(
    { values, validity }: ColumnAddress,
    type: FieldType,
    count: number,
    room: (sizeBytes: number) => number,
  ) {
    const narrow = narrowOf(this.#kernels, type);
    if (narrow === null) return { values, validity };
    const narrowed = room(valuesSizeOf(type, count));
    narrow(values, count, narrowed);
    return { values: narrowed, validity };
  }

  #writePart(
    { type, offset, nullBit }: KeyPart,
    from: { places: number; keys: number; stride: number },
    count: number,
    room: (sizeBytes: number) => number,
  ) {
    const { places, keys, stride } = from;
    const kernels = this.#kernels;
    let validity = 0;
    if (nullBit >= 0) {
      validity = room(bitmapSizeOf(count));
      const byte = keys + (nullBit >>> 3);
      kernels.unpackKeyBits(places, byte, stride, count, nullBit & 7, 1, validity);
    }
    const values = room(valuesSizeOf(type, count));
    if (layoutOf(type) === 'view') {
      const { cursors } = this.#room();
      kernels.unpackKeyText(places, count, offset, this.#layout.alignMask, cursors, values);
    } else if (type.kind === 'bool') {
      kernels.unpackKeyBits(places, keys + offset, stride, count, 0, 0, values);
    } else {
      unpackOf(kernels, type)(places, keys + offset, stride, count, values);
    }
    return { values, validity };
  }

  /** Places of keys that are views; the cursors are set to before the first text. */
  #locate(views: number, count: number): number {
    const { places, cursors } = this.#room();
    this.#kernels.locateKeys(views, count, places);
    const { uint32 } = this.#scope.memory;
    uint32.fill(this.#layout.headBytes, cursors >>> 2, (cursors >>> 2) + count);
    return places;
  }

  #room() {
    if (this.#scratch === 0) {
      const sizeBytes = this.#layout.form === 'view' ? keysBytes + 3 * listBytes : keysBytes;
      this.#scratch = this.#scope.allocate(sizeBytes);
      // What no column fills of a packed key is zero, now and for ever.
      const start = addressOf(this.#scratch);
      this.#scope.memory.bytes.fill(0, start, start + keysBytes);
    }
    const keys = addressOf(this.#scratch);
    const places = keys + keysBytes;
    return { keys, places, sizes: places + listBytes, cursors: places + 2 * listBytes };
  }

  #runsOf(sizeBytes: number): number {
    const { memory } = this.#scope;
    if (this.#runs === 0 || memory.sizeOf(this.#runs) < sizeBytes) {
      if (this.#runs !== 0) memory.release(this.#runs);
      this.#runs = 0;
      this.#runs = this.#scope.allocate(sizeBytes);
    }
    return addressOf(this.#runs);
  }
}

/** What goes into the head of a key: a fixed value, or the length of a text. */
function packOf(kernels: Kernels, type: FieldType): PackKey {
  if (layoutOf(type) === 'view') return kernels.packKeyLength;
  if (type.kind === 'float32') return kernels.packKeyFloat32;
  if (type.kind === 'float64') return kernels.packKeyFloat64;
  switch (valueSizeOf(type)) {
    case 0:
      return kernels.packKeyBit;
    case 1:
      return kernels.packKey1;
    case 2:
      return kernels.packKey2;
    case 4:
      return kernels.packKey4;
    case 8:
      return kernels.packKey8;
    default:
      return kernels.packKey16;
  }
}

function unpackOf(kernels: Kernels, type: FieldType): UnpackKey {
  switch (valueSizeOf(type)) {
    case 1:
      return kernels.unpackKey1;
    case 2:
      return kernels.unpackKey2;
    case 4:
      return kernels.unpackKey4;
    case 8:
      return kernels.unpackKey8;
    default:
      return kernels.unpackKey16;
  }
}
