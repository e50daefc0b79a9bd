/**
 * Lists and structs into columns of their items and fields: how values of ours become Arrow's child
 * arrays. The way back of engine/batch/nested-pack.ts.
 *
 *     [a, b]  null  []  [c]   ──▶   offsets 0 2 2 2 3    items a b c
 *
 * Texts and the like are not copied: their views point into the bytes that they lie in, which stay the
 * caller's.
 */
import { assert, assertNever } from '../../base/assert.ts';
import { addressOf, type SlotMemory } from '../memory/slot-memory.ts';
import {
  bitmapSizeOf,
  type Field,
  type ItemType,
  layoutOf,
  valueSizeOf,
  valuesSizeOf,
} from '../schema/field-type.ts';
import type { Column } from './batch.ts';
import { listLayoutOf, type StructLayout, structLayoutOf } from './nested-layout.ts';
import type { PackTarget } from './nested-pack.ts';
import { clearView, utf8ViewSize, viewBytesAddress, writeView } from './utf8-view.ts';

const itemsMax = 2 ** 31 - 1;

export interface ListItems {
  /** Address of `rowCount + 1` int32 from 0. */
  readonly offsets: number;
  readonly itemCount: number;
  readonly items: Column;
}

/** @param lists - Views and validity of `rowCount` rows. */
export function unpackLists(
  target: PackTarget,
  { type, nullable }: ItemType,
  lists: Column,
  rowCount: number,
): ListItems {
  const { memory } = target.scope;
  const offsets = room(target, (rowCount + 1) * 4);
  let itemCount = 0;
  for (let row = 0; row < rowCount; row++) {
    memory.int32[(offsets >>> 2) + row] = itemCount;
    itemCount += countOf(memory, lists, row);
  }
  assert(itemCount <= itemsMax, 'the items of a batch are below 2^31, as offsets are');
  memory.int32[(offsets >>> 2) + rowCount] = itemCount;
  const items = newColumn(target, { type, nullable }, itemCount);
  const read = slotReaderOf(memory, items);
  const isVariable = layoutOf(type) === 'view';
  let item = 0;
  for (let row = 0; row < rowCount; row++) {
    const count = countOf(memory, lists, row);
    if (count === 0) continue;
    const start = viewBytesAddress(memory, lists.values + row * utf8ViewSize);
    const { bits, slots, slotSize, variable } = listLayoutOf(type, nullable, count);
    let from = 0;
    for (let index = 0; index < count; index++, item++) {
      const slot = start + slots + index * slotSize;
      if (nullable) setBit(memory, items.validity, item, bitAt(memory, start + bits, index));
      if (isVariable) {
        const end = memory.view.getUint32(slot, true);
        read(item, start + variable + from, end - from);
        from = end;
      } else {
        read(item, slot, slotSize);
      }
    }
  }
  return { offsets, itemCount, items };
}

/** A column per field, with a value per row: null, or zero, where the struct itself is null. */
export function unpackStructs(
  target: PackTarget,
  fields: readonly Field[],
  structs: Column,
  rowCount: number,
): Column[] {
  const { memory } = target.scope;
  const layout = structLayoutOf(fields);
  return fields.map((field, index) => {
    const column = newColumn(target, field, rowCount);
    const readField = fieldReaderOf(memory, { layout, index, nullable: field.nullable, column });
    for (let row = 0; row < rowCount; row++) {
      if (isValid(memory, structs, row)) {
        readField(row, viewBytesAddress(memory, structs.values + row * utf8ViewSize));
      } else {
        if (field.nullable) setBit(memory, column.validity, row, 0);
        writeZero(memory, column, row);
      }
    }
    return column;
  });
}

interface FieldPlace {
  readonly layout: StructLayout;
  readonly index: number;
  readonly nullable: boolean;
  readonly column: Column;
}

/** Reads the field of the struct that starts at an address into a row of its column. */
function fieldReaderOf(
  memory: SlotMemory,
  { layout, index, nullable, column }: FieldPlace,
): (row: number, start: number) => void {
  const { slots, previousEnds, variable } = layout;
  const slot = slots[index] ?? 0;
  const previousEnd = previousEnds[index] ?? -1;
  const read = slotReaderOf(memory, column);
  const isVariable = layoutOf(column.type) === 'view';
  return (row, start) => {
    if (nullable) setBit(memory, column.validity, row, bitAt(memory, start, index));
    if (!isVariable) {
      read(row, start + slot, 0);
      return;
    }
    const from = previousEnd < 0 ? 0 : memory.view.getUint32(start + previousEnd, true);
    read(row, start + variable + from, memory.view.getUint32(start + slot, true) - from);
  };
}

function countOf(memory: SlotMemory, lists: Column, row: number): number {
  if (!isValid(memory, lists, row)) return 0;
  return memory.view.getUint32(viewBytesAddress(memory, lists.values + row * utf8ViewSize), true);
}

function newColumn(target: PackTarget, { type, nullable }: ItemType, rowCount: number): Column {
  return {
    type,
    values: room(target, valuesSizeOf(type, rowCount)),
    validity: nullable ? room(target, bitmapSizeOf(rowCount)) : 0,
  };
}

function room({ scope, blocks }: PackTarget, sizeBytes: number): number {
  const block = scope.allocate(Math.max(1, sizeBytes));
  blocks.push(block);
  return addressOf(block);
}

/** Copies a value that lies at an address, `size` bytes long where its type doesn't say, to a row. */
type ReadSlot = (row: number, at: number, size: number) => void;

function slotReaderOf(memory: SlotMemory, { type, values }: Column): ReadSlot {
  const layout = layoutOf(type);
  const { bytes } = memory;
  const width = valueSizeOf(type);
  switch (layout) {
    case 'bits':
      return (row, at) => setBit(memory, values, row, bytes[at] ?? 0);
    case 'fixed':
      return (row, at) => {
        const to = values + row * width;
        for (let byte = 0; byte < width; byte++) bytes[to + byte] = bytes[at + byte] ?? 0;
      };
    case 'view':
      return (row, at, size) => writeView(memory, values + row * utf8ViewSize, at, size);
    default:
      return assertNever(layout);
  }
}

function writeZero(memory: SlotMemory, { type, values }: Column, row: number): void {
  const width = valueSizeOf(type);
  if (width === 0) setBit(memory, values, row, 0);
  else if (layoutOf(type) === 'view') clearView(memory, values + row * width);
  else memory.bytes.fill(0, values + row * width, values + (row + 1) * width);
}

function isValid(memory: SlotMemory, { validity }: Column, row: number): boolean {
  return validity === 0 || bitAt(memory, validity, row) === 1;
}

function bitAt({ bytes }: SlotMemory, bitmap: number, row: number): number {
  return ((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1;
}

function setBit({ bytes }: SlotMemory, bitmap: number, row: number, bit: number): void {
  const at = bitmap + (row >>> 3);
  const mask = 1 << (row & 7);
  bytes[at] = bit === 1 ? (bytes[at] ?? 0) | mask : (bytes[at] ?? 0) & ~mask;
}
