/**
 * A column of lists or structs: leaves with levels become columns of items and fields, which are packed into
 * values of ours (engine/batch/nested-pack.ts), from the inside out.
 *
 *     a place    where a value stands, or a null: a row, or an item of the lists around it
 *
 * Of each leaf's entries those are places of a part whose repetition is not above that of the lists around the
 * part (else they belong to the same value), and whose definition says that these lists have an item there.
 * Invariant: all leaves of a struct have as many places; otherwise the file is damaged.
 *
 * Before: connectors/parquet/read/nested-leaf.ts · After: connectors/parquet/read/parquet-reader.ts
 */
import type { Column } from '../../../engine/batch/batch.ts';
import { packLists, packStructs } from '../../../engine/batch/nested-pack.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import {
  bitmapSizeOf,
  type Field,
  type FieldType,
  valueSizeOf,
  valuesSizeOf,
} from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import { takeColumn } from '../../../engine/stream/take-column.ts';
import { corruptError, nullError } from '../parquet-errors.ts';
import type { ColumnShape } from '../plan/parquet-split.ts';
import type { OpenColumn } from './chunk-pages.ts';
import { spreadOf } from './chunk-values.ts';
import type { ChosenRows } from './late-rows.ts';
import type { LeafRows, NestedLeaf } from './nested-leaf.ts';

/** What the lists around a part have come to. */
interface Level {
  readonly repetition: number;
  readonly definition: number;
}

/** A part as a column, with a value per place. */
interface Part {
  readonly column: Column;
  readonly count: number;
}

type ShapeOf<K extends ColumnShape['kind']> = ColumnShape & { readonly kind: K };

export class NestedColumn {
  readonly field: Field;
  readonly #column: OpenColumn;
  readonly #shape: ColumnShape;
  readonly #leaves: readonly NestedLeaf[];
  /** The next row, counted from the start of the file. */
  #row: number;

  /** @param leaves - Those of the shape; they are this column's to close. */
  constructor(
    column: OpenColumn,
    options: {
      readonly field: Field;
      readonly shape: ColumnShape;
      readonly leaves: readonly NestedLeaf[];
      readonly firstRow: number;
    },
  ) {
    this.field = options.field;
    this.#column = column;
    this.#shape = options.shape;
    this.#leaves = options.leaves;
    this.#row = options.firstRow;
  }

  /** The next rows; `blocks` takes what they are in. */
  read(count: number, blocks: BlockHandle[]): Column {
    const temporary: BlockHandle[] = [];
    try {
      const rows = this.#leaves.map((leaf) => leaf.read(count, temporary));
      const options = { rows, temporary, firstRow: this.#row, rowCount: count };
      const column = new Assembly(this.#column, options).column(this.field, this.#shape, blocks);
      this.#row += count;
      return column;
    } finally {
      this.#release(temporary);
    }
  }

  readChosen(count: number, { rows, count: found }: ChosenRows, blocks: BlockHandle[]): Column {
    const column = this.read(count, blocks);
    return takeColumn({ ...this.#column.context, blocks }, column, rows, found);
  }

  skip(count: number): void {
    const temporary: BlockHandle[] = [];
    try {
      for (const leaf of this.#leaves) leaf.read(count, temporary);
    } finally {
      this.#release(temporary);
    }
    this.#row += count;
  }

  /** None that has the column's values. */
  dictionary(): null {
    return null;
  }

  close(): void {
    for (const leaf of this.#leaves) leaf.close();
  }

  #release(blocks: readonly BlockHandle[]): void {
    for (const block of blocks) this.#column.context.scope.memory.release(block);
  }
}

/** Puts the rows of a batch together. */
class Assembly {
  readonly #column: OpenColumn;
  readonly #rows: readonly LeafRows[];
  readonly #temporary: BlockHandle[];
  readonly #firstRow: number;
  readonly #rowCount: number;

  constructor(
    column: OpenColumn,
    options: {
      readonly rows: readonly LeafRows[];
      readonly temporary: BlockHandle[];
      readonly firstRow: number;
      readonly rowCount: number;
    },
  ) {
    this.#column = column;
    this.#rows = options.rows;
    this.#temporary = options.temporary;
    this.#firstRow = options.firstRow;
    this.#rowCount = options.rowCount;
  }

  column(field: Field, shape: ColumnShape, blocks: BlockHandle[]): Column {
    const part = this.#part(field, shape, { repetition: 0, definition: 0 }, blocks);
    if (part.count !== this.#rowCount) throw this.#damaged();
    this.#checkNulls(field, part, 0);
    return part.column;
  }

  #part(field: Field, shape: ColumnShape, level: Level, blocks: BlockHandle[]): Part {
    switch (shape.kind) {
      case 'leaf':
        return this.#leaf(field.type, shape, level, blocks);
      case 'list':
        return this.#list(field, shape, level, blocks);
      default:
        return this.#struct(field, shape, level, blocks);
    }
  }

  #leaf(
    type: FieldType,
    { leaf, definition }: ShapeOf<'leaf'>,
    level: Level,
    blocks: BlockHandle[],
  ): Part {
    const { kernels } = this.#column.context;
    const { values: dense } = this.#rowsOf(leaf);
    const { count, present, validity } = this.#places(leaf, level, { definition, blocks });
    if (present === count) return { count, column: { type, validity: 0, values: dense } };
    const values = this.#room(valuesSizeOf(type, count), blocks);
    if (type.kind === 'bool') kernels.spread1Bit(dense, validity, 0, count, values, 0);
    else spreadOf(kernels, valueSizeOf(type))(dense, validity, 0, count, values);
    return { count, column: { type, validity, values } };
  }

  #list(field: Field, shape: ShapeOf<'list'>, level: Level, blocks: BlockHandle[]): Part {
    const { type } = field;
    if (type.kind !== 'list') throw this.#damaged();
    const { scope } = this.#column.context;
    const { leaf, count, validity } = this.#group(shape, level, blocks);
    const inside = { repetition: shape.itemRepetition, definition: shape.itemDefinition };
    const offsets = this.#offsets(leaf, { level, inside, count });
    const itemField = fieldOf(`${field.name}[]`, type.item.type, type.item.nullable);
    const items = this.#part(itemField, shape.item, inside, this.#temporary);
    if (items.count !== scope.memory.int32[(offsets >>> 2) + count]) throw this.#damaged();
    this.#checkNulls(itemField, items, 0);
    const parts = { item: type.item, rowCount: count, validity, offsets, items: items.column };
    const values = packLists({ scope, blocks }, parts);
    return { count, column: { type, validity, values } };
  }

  #struct(field: Field, shape: ShapeOf<'struct'>, level: Level, blocks: BlockHandle[]): Part {
    const { type } = field;
    if (type.kind !== 'struct') throw this.#damaged();
    const { scope } = this.#column.context;
    const { count, validity } = this.#group(shape, level, blocks);
    const columns = shape.fields.map((fieldShape, index) => {
      const part = type.fields[index];
      if (part === undefined) throw this.#damaged();
      const named = { ...part, name: `${field.name}.${part.name}` };
      const found = this.#part(named, fieldShape, level, this.#temporary);
      if (found.count !== count) throw this.#damaged();
      this.#checkNulls(named, found, validity);
      return found.column;
    });
    const parts = { fields: type.fields, rowCount: count, validity, columns };
    const values = packStructs({ scope, blocks }, parts);
    return { count, column: { type, validity, values } };
  }

  /** The places of a list or struct, and at which of them it is there; 0 where at all. */
  #group(shape: ShapeOf<'list' | 'struct'>, level: Level, blocks: BlockHandle[]) {
    const leaf = firstLeafOf(shape);
    const { definition } = shape;
    const { count, present, validity } = this.#places(leaf, level, { definition, blocks });
    return { leaf, count, validity: present === count ? 0 : validity };
  }

  /** The places of a part by one of its leaves, and at which of them it is there: a bitmap in `blocks`. */
  #places(
    leaf: number,
    level: Level,
    { definition, blocks }: { readonly definition: number; readonly blocks: BlockHandle[] },
  ) {
    const rows = this.#rowsOf(leaf);
    const validity = this.#room(bitmapSizeOf(rows.count), blocks);
    const { uint32, bytes } = this.#column.context.scope.memory;
    const [reps, defs] = [rows.repetitions >>> 2, rows.definitions >>> 2];
    bytes.fill(0, validity, validity + bitmapSizeOf(rows.count));
    let [count, present] = [0, 0];
    for (let entry = 0; entry < rows.count; entry++) {
      const own = uint32[defs + entry] ?? 0;
      if (own < level.definition || (uint32[reps + entry] ?? 0) > level.repetition) continue;
      if (own >= definition) {
        const byte = validity + (count >>> 3);
        bytes[byte] = (bytes[byte] ?? 0) | (1 << (count & 7));
        present++;
      }
      count++;
    }
    return { count, present, validity };
  }

  /** How many items are before each list, and behind the last. */
  #offsets(
    leaf: number,
    {
      level,
      inside,
      count,
    }: { readonly level: Level; readonly inside: Level; readonly count: number },
  ): number {
    const rows = this.#rowsOf(leaf);
    const offsets = this.#room((count + 1) * 4, this.#temporary);
    const { uint32, int32 } = this.#column.context.scope.memory;
    const [reps, defs] = [rows.repetitions >>> 2, rows.definitions >>> 2];
    let [list, item] = [0, 0];
    for (let entry = 0; entry < rows.count; entry++) {
      const [repetition, definition] = [uint32[reps + entry] ?? 0, uint32[defs + entry] ?? 0];
      const isPlace = definition >= level.definition && repetition <= level.repetition;
      if (isPlace) int32[(offsets >>> 2) + list++] = item;
      if (definition >= inside.definition && repetition <= inside.repetition) item++;
    }
    int32[(offsets >>> 2) + count] = item;
    return offsets;
  }

  /** A null where none may be is an error, unless the struct that it is a part of is null. */
  #checkNulls(field: Field, { column, count }: Part, validity: number): void {
    if (field.nullable || column.validity === 0) return;
    const { bytes } = this.#column.context.scope.memory;
    const isNull = (bitmap: number, place: number) =>
      bitmap !== 0 && (((bytes[bitmap + (place >>> 3)] ?? 0) >>> (place & 7)) & 1) === 0;
    for (let place = 0; place < count; place++) {
      if (!isNull(column.validity, place) || isNull(validity, place)) continue;
      const last = this.#firstRow + this.#rowCount - 1;
      throw nullError(this.#column.path, field.name, `rows ${this.#firstRow} to ${last}`);
    }
  }

  #rowsOf(leaf: number): LeafRows {
    const rows = this.#rows[leaf];
    if (rows === undefined) throw this.#damaged();
    return rows;
  }

  #room(sizeBytes: number, blocks: BlockHandle[]): number {
    const block = this.#column.context.scope.allocate(Math.max(1, sizeBytes));
    blocks.push(block);
    return addressOf(block);
  }

  #damaged(): Error {
    const { path, name } = this.#column;
    return corruptError(path, `has parts of column "${name}" that do not fit together`);
  }
}

function firstLeafOf(shape: ColumnShape): number {
  switch (shape.kind) {
    case 'leaf':
      return shape.leaf;
    case 'list':
      return firstLeafOf(shape.item);
    default:
      return shape.fields[0] === undefined ? -1 : firstLeafOf(shape.fields[0]);
  }
}
