/**
 * Batches as record batches of apache-arrow: copies, since the slot's memory is used again.
 *
 *     bits, fixed      the selected rows taken, then copied out
 *     text, bytes      offsets and bytes, made by the kernel that threads use
 *     dictionaries     indexes; each different text once, for all batches of one exporter
 *     lists, structs   taken apart into columns (nested-unpack.ts), and these exported
 *
 * Contract: `finish` once, after the last batch and before a record batch is read: dictionaries are
 * complete only then.
 */
import * as arrow from 'apache-arrow';
import { assert } from '../../base/assert.ts';
import { takeOf } from '../kernels/take-kernels.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import type { ArrowTarget } from './arrow-part.ts';
import { toArrowSchema } from './arrow-schema.ts';
import type { Batch, Column } from './batch.ts';
import { unpackLists, unpackStructs } from './nested-unpack.ts';
import { utf8ViewSize, viewText } from './utf8-view.ts';

const encoder = new TextEncoder();

/** Rows of a column: all, in order, where `rows` is 0. */
interface Rows {
  readonly column: Column;
  readonly rows: number;
  readonly rowCount: number;
  readonly blocks: BlockHandle[];
}

export class ArrowExporter {
  readonly schema: arrow.Schema;
  readonly #target: ArrowTarget;
  /** The different texts of each dictionary type, and the arrays that wait for them. */
  readonly #dictionaries = new Map<
    arrow.DataType,
    { texts: Map<string, number>; waiting: arrow.Data[] }
  >();

  constructor(target: ArrowTarget, schema: Schema) {
    this.#target = target;
    this.schema = toArrowSchema(schema);
  }

  /** A copy of the batch's rows. The batch stays the caller's. */
  export(batch: Batch): arrow.RecordBatch {
    const { rowCount, selection, columns } = batch;
    const children = columns.map((column, index) => {
      const field = this.schema.fields[index];
      assert(field !== undefined, 'exported batches have the schema of the exporter');
      const blocks: BlockHandle[] = [];
      try {
        return this.#export(field.type, { column, rows: selection, rowCount, blocks });
      } finally {
        for (const block of blocks) this.#target.scope.memory.release(block);
      }
    });
    const type = new arrow.Struct(this.schema.fields);
    const data = arrow.makeData({ type, length: rowCount, nullCount: 0, children });
    return new arrow.RecordBatch(this.schema, data);
  }

  /** Gives the exported batches their dictionaries. */
  finish(): void {
    for (const { texts, waiting } of this.#dictionaries.values()) {
      const dictionary = textsVector([...texts.keys()]);
      for (const data of waiting) data.dictionary = dictionary;
    }
  }

  #export(type: arrow.DataType, from: Rows): arrow.Data {
    const { column, rowCount } = from;
    const nullBitmap = column.validity === 0 ? null : this.#bits(column.validity, from);
    const common = { length: rowCount, nullBitmap };
    if (arrow.DataType.isDictionary(type)) {
      return this.#exportTexts(type, from, nullBitmap);
    }
    if (arrow.DataType.isUtf8(type) || arrow.DataType.isBinary(type)) {
      return arrow.makeData({ ...common, type: type as arrow.Utf8, ...this.#bytes(from) });
    }
    if (arrow.DataType.isList(type) || arrow.DataType.isStruct(type)) {
      return this.#exportNested(type, from, nullBitmap);
    }
    if (arrow.DataType.isBool(type)) {
      return arrow.makeData({ ...common, type, data: this.#bits(column.values, from) });
    }
    const taken = this.#taken(from);
    const bytes = this.#copy(taken.values, valuesSizeOf(column.type, rowCount));
    const data = new type.ArrayType(bytes.buffer);
    return arrow.makeData({ ...common, type: type as arrow.Int32, data });
  }

  #exportNested(
    type: arrow.List | arrow.Struct,
    from: Rows,
    nullBitmap: Uint8Array | null,
  ): arrow.Data {
    const { rowCount, blocks } = from;
    const target = { scope: this.#target.scope, blocks };
    const column = this.#taken(from);
    const common = { length: rowCount, nullBitmap };
    if (column.type.kind === 'list') {
      const { offsets, itemCount, items } = unpackLists(target, column.type.item, column, rowCount);
      const valueOffsets = new Int32Array(this.#copy(offsets, (rowCount + 1) * 4).buffer);
      const rows = { column: items, rows: 0, rowCount: itemCount, blocks };
      const child = this.#export(childType(type, 0), rows);
      return arrow.makeData({ ...common, type: type as arrow.List, valueOffsets, child });
    }
    assert(column.type.kind === 'struct', 'lists and structs have children');
    const parts = unpackStructs(target, column.type.fields, column, rowCount);
    const children = parts.map((part, index) =>
      this.#export(childType(type, index), { column: part, rows: 0, rowCount, blocks }),
    );
    return arrow.makeData({ ...common, type: type as arrow.Struct, children });
  }

  /** Texts as indexes of a dictionary that `finish` makes. */
  #exportTexts(type: arrow.Dictionary, from: Rows, nullBitmap: Uint8Array | null): arrow.Data {
    const { rowCount } = from;
    const known = this.#dictionaries.get(type) ?? { texts: new Map<string, number>(), waiting: [] };
    this.#dictionaries.set(type, known);
    const { values } = this.#taken(from);
    const { memory } = this.#target.scope;
    const indexes = new Int32Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const isNull = nullBitmap !== null && ((nullBitmap[row >>> 3] ?? 0) >>> (row & 7)) % 2 === 0;
      if (isNull) continue;
      const text = viewText(memory, values + row * utf8ViewSize);
      let index = known.texts.get(text);
      if (index === undefined) {
        index = known.texts.size;
        known.texts.set(text, index);
      }
      indexes[row] = index;
    }
    const data = arrow.makeData({
      ...{ type, length: rowCount, nullBitmap, data: indexes },
      dictionary: textsVector([]),
    });
    known.waiting.push(data);
    return data;
  }

  /** The rows side by side, where they are not so already. */
  #taken(from: Rows): Column {
    const { column, rows, rowCount } = from;
    if (rows === 0) return column;
    const { type } = column;
    const values = this.#room(from, valuesSizeOf(type, rowCount));
    takeOf(this.#target.kernels, type)(column.values, rows, rowCount, values);
    if (column.validity === 0) return { type, values, validity: 0 };
    const validity = this.#room(from, bitmapSizeOf(rowCount));
    this.#target.kernels.take1Bit(column.validity, rows, rowCount, validity);
    return { type, values, validity };
  }

  #bits(bitmap: number, from: Rows): Uint8Array {
    const { rows, rowCount } = from;
    const sizeBytes = bitmapSizeOf(rowCount);
    const taken = this.#room(from, sizeBytes);
    this.#target.kernels.take1Bit(bitmap, rows, rowCount, taken);
    return this.#copy(taken, sizeBytes);
  }

  #bytes(from: Rows): { valueOffsets: Int32Array; data: Uint8Array } {
    const { kernels } = this.#target;
    const { column, rows, rowCount } = from;
    const sizeBytes = kernels.utf8SizeOf(column.values, rows, rowCount);
    const offsets = this.#room(from, (rowCount + 1) * 4);
    const bytes = this.#room(from, sizeBytes);
    kernels.utf8ToArrow(column.values, rows, rowCount, offsets, bytes);
    const valueOffsets = new Int32Array(this.#copy(offsets, (rowCount + 1) * 4).buffer);
    return { valueOffsets, data: this.#copy(bytes, sizeBytes) };
  }

  #room({ blocks }: Rows, sizeBytes: number): number {
    const block = this.#target.scope.allocate(Math.max(1, sizeBytes));
    blocks.push(block);
    return addressOf(block);
  }

  #copy(address: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
    return this.#target.scope.memory.bytes.slice(address, address + sizeBytes);
  }
}

function childType(type: arrow.DataType, index: number): arrow.DataType {
  const child = type.children[index];
  assert(child !== undefined, 'a list has one child, a struct one per field');
  return child.type;
}

function textsVector(texts: readonly string[]): arrow.Vector<arrow.Utf8> {
  const pieces = texts.map((text) => encoder.encode(text));
  const valueOffsets = new Int32Array(texts.length + 1);
  pieces.forEach((piece, index) => {
    valueOffsets[index + 1] = (valueOffsets[index] ?? 0) + piece.length;
  });
  const data = new Uint8Array(valueOffsets[texts.length] ?? 0);
  pieces.forEach((piece, index) => {
    data.set(piece, valueOffsets[index]);
  });
  const type = new arrow.Utf8();
  return new arrow.Vector([arrow.makeData({ type, length: texts.length, valueOffsets, data })]);
}
