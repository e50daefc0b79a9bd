/**
 * Lists and structs as entries of their leaves: for each its levels, and which value it has.
 *
 *     [a, b]  []  null  [c]     repetition  0 1 0 0 0     definition  2 2 1 0 2     value  0 1 - - 2
 *
 * From the outside in: each part turns the entries of what it is in into its own. An entry that has come to a
 * null, or to an empty list, has no value, and goes on as it is.
 * @see connectors/parquet/read/nested-column.ts for the way back
 */
import type { Column } from '../../../engine/batch/batch.ts';
import type { PackTarget } from '../../../engine/batch/nested-pack.ts';
import { unpackLists, unpackStructs } from '../../../engine/batch/nested-unpack.ts';
import type { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import type { Field } from '../../../engine/schema/field-type.ts';

export interface LeafEntries {
  readonly count: number;
  readonly repetitions: Uint32Array;
  readonly definitions: Uint32Array;
  /** Rows of `column`; -1: no value. */
  readonly values: Int32Array;
  readonly column: Column;
}

type Entries = Omit<LeafEntries, 'column'>;

interface Level {
  readonly repetition: number;
  readonly definition: number;
}

/**
 * In the order of the leaves.
 * @param column - Of `rowCount` rows, side by side.
 * @param target - Its blocks are those of the columns; the caller releases them.
 */
export function nestedEntriesOf(
  target: PackTarget,
  field: Field,
  column: Column,
  rowCount: number,
): LeafEntries[] {
  const rows: Entries = {
    count: rowCount,
    repetitions: new Uint32Array(rowCount),
    definitions: new Uint32Array(rowCount),
    values: Int32Array.from({ length: rowCount }, (_, row) => row),
  };
  const leaves: LeafEntries[] = [];
  const part = { field, column, count: rowCount };
  addPart(target, part, { entries: rows, level: { repetition: 0, definition: 0 } }, leaves);
  return leaves;
}

interface Part {
  readonly field: Field;
  readonly column: Column;
  /** Rows of the column. */
  readonly count: number;
}

function addPart(
  target: PackTarget,
  { field, column, count }: Part,
  { entries, level }: { readonly entries: Entries; readonly level: Level },
  leaves: LeafEntries[],
): void {
  const { type, nullable } = field;
  const { memory } = target.scope;
  const definition = level.definition + Number(nullable);
  const there = nullable ? withoutNulls(memory, entries, { column, definition }) : entries;
  if (type.kind === 'list') {
    const { offsets, itemCount, items } = unpackLists(target, type.item, column, count);
    const own = { repetition: level.repetition + 1, definition: definition + 1 };
    const expanded = itemEntries(memory.int32.subarray(offsets >>> 2), there, own);
    const item = { field: { name: 'element', ...type.item }, column: items, count: itemCount };
    addPart(target, item, { entries: expanded, level: own }, leaves);
  } else if (type.kind === 'struct') {
    const columns = unpackStructs(target, type.fields, column, count);
    const own = { repetition: level.repetition, definition };
    type.fields.forEach((part, index) => {
      const child = { field: part, column: columns[index] as Column, count };
      addPart(target, child, { entries: there, level: own }, leaves);
    });
  } else {
    leaves.push({ ...there, column });
  }
}

/** Entries whose value is null have none; the others have come one level further. */
function withoutNulls(
  { bytes }: SlotMemory,
  { count, repetitions, definitions, values }: Entries,
  { column, definition }: { readonly column: Column; readonly definition: number },
): Entries {
  const { validity } = column;
  const own = { definitions: definitions.slice(), values: values.slice() };
  for (let entry = 0; entry < count; entry++) {
    const value = values[entry] ?? -1;
    if (value < 0) continue;
    const isThere =
      validity === 0 || ((bytes[validity + (value >>> 3)] ?? 0) & (1 << (value & 7))) !== 0;
    if (isThere) own.definitions[entry] = definition;
    else own.values[entry] = -1;
  }
  return { count, repetitions, ...own };
}

/** An entry for each item, and for each list without one. */
function itemEntries(offsets: Int32Array, lists: Entries, level: Level): Entries {
  let count = 0;
  for (let entry = 0; entry < lists.count; entry++) {
    count += Math.max(1, itemsOf(offsets, lists.values[entry] ?? -1));
  }
  const repetitions = new Uint32Array(count);
  const definitions = new Uint32Array(count);
  const values = new Int32Array(count);
  let at = 0;
  for (let entry = 0; entry < lists.count; entry++) {
    const list = lists.values[entry] ?? -1;
    const items = itemsOf(offsets, list);
    repetitions[at] = lists.repetitions[entry] ?? 0;
    definitions[at] = lists.definitions[entry] ?? 0;
    values[at] = -1;
    for (let item = 0; item < items; item++) {
      if (item > 0) repetitions[at + item] = level.repetition;
      definitions[at + item] = level.definition;
      values[at + item] = (offsets[list] ?? 0) + item;
    }
    at += Math.max(1, items);
  }
  return { count, repetitions, definitions, values };
}

function itemsOf(offsets: Int32Array, list: number): number {
  return list < 0 ? 0 : (offsets[list + 1] ?? 0) - (offsets[list] ?? 0);
}
