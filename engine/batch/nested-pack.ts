/**
 * Columns of items and fields into lists and structs: how Arrow's child arrays become values of ours
 * (engine/batch/nested-layout.ts). Column by column, so that a type is asked for once, not per row.
 *
 *     offsets 0 2 2 3    items a b c     ──▶   [a, b]  []  [c]       one block of bytes, and views
 *     a column per field, side by side   ──▶   {a, b}  {a, b}
 *
 * Contract:
 * - Offsets ascend and end within the items (not checked); views of null items and fields are zero.
 * - What stands where a list or struct is null is not looked at, whatever it is.
 * - Nulls of items and fields that are not nullable are the caller's to refuse.
 * @see engine/batch/nested-unpack.ts for the way back
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { type Field, type ItemType, layoutOf, valueSizeOf } from '../schema/field-type.ts';
import type { Column } from './batch.ts';
import { listLayoutOf, structLayoutOf } from './nested-layout.ts';
import { clearView, utf8ViewSize, viewBytesAddress, viewSizeOf, writeView } from './utf8-view.ts';

export interface PackTarget {
  readonly scope: MemoryScope;
  /** New blocks are added here; whoever makes the batch owns them, also when this throws. */
  readonly blocks: BlockHandle[];
}

export interface ListParts {
  readonly item: ItemType;
  readonly rowCount: number;
  /** Address of the bitmap of the lists; 0 when none is null. */
  readonly validity: number;
  /** Address of `rowCount + 1` int32: the items of row r are those from `offsets[r]` to `offsets[r + 1]`. */
  readonly offsets: number;
  readonly items: Column;
}

/** The address of the views of the lists. */
export function packLists({ scope, blocks }: PackTarget, parts: ListParts): number {
  const { memory } = scope;
  const { item, rowCount, validity, items } = parts;
  const { int32, view } = memory;
  const sizes = listSizes(memory, parts);
  const { views, bytes } = allocate({ scope, blocks }, sizes);
  const writeItems = itemWriterOf(memory, items);
  let at = bytes;
  for (let row = 0; row < rowCount; row++) {
    const target = views + row * utf8ViewSize;
    if (isNull(memory, validity, row)) {
      clearView(memory, target);
      continue;
    }
    const first = int32[(parts.offsets >>> 2) + row] ?? 0;
    const count = (int32[(parts.offsets >>> 2) + row + 1] ?? 0) - first;
    const layout = listLayoutOf(item.type, item.nullable, count);
    view.setUint32(at, count, true);
    if (item.nullable) copyBits(memory, items.validity, { first, count, to: at + layout.bits });
    writeItems({ first, count, slots: at + layout.slots, variable: at + layout.variable });
    const size = sizes[row] ?? 0;
    writeView(memory, target, at, size);
    at += size;
  }
  return views;
}

export interface StructParts {
  readonly fields: readonly Field[];
  readonly rowCount: number;
  /** Address of the bitmap of the structs; 0 when none is null. */
  readonly validity: number;
  /** One per field, with a value per row. */
  readonly columns: readonly Column[];
}

/** The address of the views of the structs. */
export function packStructs({ scope, blocks }: PackTarget, parts: StructParts): number {
  const { memory } = scope;
  const { fields, rowCount, validity, columns } = parts;
  const layout = structLayoutOf(fields);
  const sizes = structSizes(memory, parts, layout.variable);
  const { views, bytes } = allocate({ scope, blocks }, sizes);
  const starts = new Uint32Array(rowCount);
  let at = bytes;
  for (let row = 0; row < rowCount; row++) {
    starts[row] = at;
    memory.bytes.fill(0, at, at + Math.min(layout.variable, sizes[row] ?? 0));
    at += sizes[row] ?? 0;
  }
  // Where the next variable part of a row goes, counted from its first one.
  const ends = new Uint32Array(rowCount);
  columns.forEach((column, index) => {
    const slot = layout.slots[index] ?? 0;
    const writeItem = itemWriterOf(memory, column);
    const isVariable = layoutOf(column.type) === 'view';
    for (let row = 0; row < rowCount; row++) {
      if (isNull(memory, validity, row)) continue;
      const start = starts[row] ?? 0;
      const end = ends[row] ?? 0;
      const variable = start + layout.variable + end;
      writeItem({ first: row, count: 1, slots: start + slot, variable });
      if (isVariable) {
        ends[row] = end + memory.view.getUint32(start + slot, true);
        memory.view.setUint32(start + slot, ends[row] ?? 0, true);
      }
      if (layout.bitsBytes > 0 && !isNull(memory, column.validity, row)) {
        const byte = start + (index >>> 3);
        memory.bytes[byte] = (memory.bytes[byte] ?? 0) | (1 << (index & 7));
      }
    }
  });
  for (let row = 0; row < rowCount; row++) {
    const target = views + row * utf8ViewSize;
    if (isNull(memory, validity, row)) clearView(memory, target);
    else writeView(memory, target, starts[row] ?? 0, sizes[row] ?? 0);
  }
  return views;
}

function listSizes(memory: SlotMemory, parts: ListParts): Float64Array {
  const { item, rowCount, validity, offsets, items } = parts;
  const { int32 } = memory;
  const isVariable = layoutOf(item.type) === 'view';
  const sizes = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    if (isNull(memory, validity, row)) continue;
    const first = int32[(offsets >>> 2) + row] ?? 0;
    const end = int32[(offsets >>> 2) + row + 1] ?? 0;
    let size = listLayoutOf(item.type, item.nullable, end - first).variable;
    if (isVariable) {
      for (let at = first; at < end; at++) {
        size += viewSizeOf(memory, items.values + at * utf8ViewSize);
      }
    }
    sizes[row] = size;
  }
  return sizes;
}

function structSizes(memory: SlotMemory, parts: StructParts, fixed: number): Float64Array {
  const { rowCount, validity, columns } = parts;
  const variable = columns.filter(({ type }) => layoutOf(type) === 'view');
  const sizes = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    if (isNull(memory, validity, row)) continue;
    let size = fixed;
    for (const { values } of variable) size += viewSizeOf(memory, values + row * utf8ViewSize);
    sizes[row] = size;
  }
  return sizes;
}

/** Room for views, and for all bytes; short values have theirs in the view in the end. */
function allocate({ scope, blocks }: PackTarget, sizes: Float64Array) {
  const views = scope.allocate(Math.max(1, sizes.length) * utf8ViewSize);
  blocks.push(views);
  const bytes = scope.allocate(
    Math.max(
      1,
      sizes.reduce((sum, size) => sum + size, 0),
    ),
  );
  blocks.push(bytes);
  return { views: addressOf(views), bytes: addressOf(bytes) };
}

/** Items from `first` on go to slots, one after the other; variable ones behind one another. */
interface ItemRun {
  readonly first: number;
  readonly count: number;
  readonly slots: number;
  readonly variable: number;
}

type WriteItems = (run: ItemRun) => void;

function itemWriterOf(memory: SlotMemory, column: Column): WriteItems {
  const layout = layoutOf(column.type);
  switch (layout) {
    case 'bits':
      return bitWriterOf(memory, column);
    case 'fixed':
      return fixedWriterOf(memory, column);
    case 'view':
      return viewWriterOf(memory, column);
    default:
      return assertNever(layout);
  }
}

function bitWriterOf(memory: SlotMemory, { values, validity }: Column): WriteItems {
  const { bytes } = memory;
  return ({ first, count, slots }) => {
    for (let index = 0; index < count; index++) {
      const row = first + index;
      const isSet = !isNull(memory, validity, row) && bitAt(bytes, values, row) === 1;
      bytes[slots + index] = Number(isSet);
    }
  };
}

function fixedWriterOf(memory: SlotMemory, { type, values, validity }: Column): WriteItems {
  const { bytes, view } = memory;
  const size = valueSizeOf(type);
  const isFloat = type.kind === 'float32' || type.kind === 'float64';
  return ({ first, count, slots }) => {
    const from = values + first * size;
    bytes.copyWithin(slots, from, from + count * size);
    if (isFloat) makeCanonical(view, slots, count, size);
    if (validity === 0) return;
    for (let index = 0; index < count; index++) {
      if (!isNull(memory, validity, first + index)) continue;
      bytes.fill(0, slots + index * size, slots + (index + 1) * size);
    }
  };
}

/** One NaN and no -0, so that equal values have equal bytes. */
function makeCanonical(view: DataView, slots: number, count: number, size: number): void {
  for (let at = slots; at < slots + count * size; at += size) {
    const value = size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    if (value !== 0 && !Number.isNaN(value)) continue;
    if (size === 4) view.setFloat32(at, value === 0 ? 0 : Number.NaN, true);
    else view.setFloat64(at, value === 0 ? 0 : Number.NaN, true);
  }
}

function viewWriterOf(memory: SlotMemory, { values }: Column): WriteItems {
  const { bytes, view } = memory;
  return ({ first, count, slots, variable }) => {
    let end = 0;
    for (let index = 0; index < count; index++) {
      const from = values + (first + index) * utf8ViewSize;
      const size = viewSizeOf(memory, from);
      const start = viewBytesAddress(memory, from);
      bytes.copyWithin(variable + end, start, start + size);
      end += size;
      assert(end <= 0xffff_ffff, 'a list or struct is below 4 GiB, as all memory is');
      view.setUint32(slots + index * 4, end, true);
    }
  };
}

function copyBits(
  memory: SlotMemory,
  from: number,
  run: { readonly first: number; readonly count: number; readonly to: number },
): void {
  const { bytes } = memory;
  const { first, count, to } = run;
  bytes.fill(0, to, to + ((count + 7) >>> 3));
  for (let index = 0; index < count; index++) {
    if (isNull(memory, from, first + index)) continue;
    const byte = to + (index >>> 3);
    bytes[byte] = (bytes[byte] ?? 0) | (1 << (index & 7));
  }
}

function isNull({ bytes }: SlotMemory, validity: number, row: number): boolean {
  return validity !== 0 && bitAt(bytes, validity, row) === 0;
}

function bitAt(bytes: Uint8Array, bitmap: number, row: number): number {
  return ((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1;
}
