/** Goal: lists and structs taken apart into columns and put together again have the same bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Column } from '../../../engine/batch/batch.ts';
import { Batch } from '../../../engine/batch/batch.ts';
import { type PackTarget, packLists, packStructs } from '../../../engine/batch/nested-pack.ts';
import { unpackLists, unpackStructs } from '../../../engine/batch/nested-unpack.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { viewBytes } from '../../../engine/batch/utf8-view.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import {
  type FieldType,
  float64Type,
  int32Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { allTypes, batchCases, makeBatch, withMemory } from '../../support/batches.ts';

const listOf = (type: FieldType, nullable = false): FieldType => ({
  kind: 'list',
  item: { type, nullable },
});
const flat = allTypes.filter(({ kind }) => kind !== 'list' && kind !== 'struct');
const nested = [
  ...allTypes.filter(({ kind }) => kind === 'list' || kind === 'struct'),
  ...flat.flatMap((type) => [listOf(type), listOf(type, true)]),
  listOf(listOf(listOf(utf8Type, true))),
];

/** Takes a column apart, down to the columns that are no lists or structs, and puts it together. */
function rebuilt(target: PackTarget, column: Column, rowCount: number): Column {
  const { type, validity } = column;
  if (type.kind === 'list') {
    const { item } = type;
    const { offsets, itemCount, items } = unpackLists(target, item, column, rowCount);
    const parts = { item, rowCount, validity, offsets, items: rebuilt(target, items, itemCount) };
    return { type, validity, values: packLists(target, parts) };
  }
  if (type.kind !== 'struct') return column;
  const { fields } = type;
  const columns = unpackStructs(target, fields, column, rowCount).map((part) =>
    rebuilt(target, part, rowCount),
  );
  return { type, validity, values: packStructs(target, { fields, rowCount, validity, columns }) };
}

test('what is taken apart and put together has the same bytes', () => {
  const cases = fc
    .constantFrom(...nested)
    .chain((type) =>
      batchCases({ schema: fc.constant(schemaOf(fieldOf('a', type, true))), rowsMax: 15 }),
    );
  fc.assert(
    fc.property(cases, (spec) =>
      withMemory(({ scope, memory }) => {
        const batch = makeBatch(scope, { ...spec, selected: null });
        const [column] = batch.columns;
        if (column === undefined) throw new Error('one column');
        const blocks: number[] = [];
        const again = rebuilt({ scope, blocks }, column, batch.rowCount);
        const bytesOf = ({ values }: Column) =>
          Array.from({ length: batch.rowCount }, (_, row) => [
            ...viewBytes(memory, values + row * 16),
          ]);
        expect(bytesOf(again)).toEqual(bytesOf(column));
        const { schema, rowCount } = batch;
        const copy = new Batch(memory, { schema, rowCount, columns: [again], blocks });
        expect(readRows(copy)).toEqual(readRows(batch));
        copy.release();
        batch.release();
      }),
    ),
    { numRuns: 300 },
  );
});

/** A column of values, and the blocks that hold it. */
function columnOf(target: PackTarget, type: FieldType, values: readonly unknown[]) {
  const schema = schemaOf(fieldOf('a', type, true));
  const rows = values.map((value) => [value]);
  const batch = makeBatch(target.scope, { schema, rows, selected: null });
  const [column] = batch.columns;
  if (column === undefined) throw new Error('one column');
  return { batch, column };
}

test('lists may begin anywhere among the items, and what a null list would hold is left out', () => {
  withMemory(({ scope, memory }) => {
    const blocks: number[] = [];
    const target = { scope, blocks };
    const items = columnOf(target, int32Type, [9, 9, 1, 2, 7, 7, 3]);
    const bits = scope.allocate(8);
    memory.bytes.fill(0, addressOf(bits), addressOf(bits) + 8);
    memory.bytes[addressOf(bits)] = 0b1101;
    const offsets = scope.allocate(20);
    memory.int32.set([2, 4, 6, 6, 7], addressOf(offsets) / 4);
    const type = listOf(int32Type);
    const item = { type: int32Type, nullable: false };
    const values = packLists(target, {
      ...{ item, rowCount: 4, validity: addressOf(bits), offsets: addressOf(offsets) },
      items: items.column,
    });
    const batch = new Batch(memory, {
      schema: schemaOf(fieldOf('a', type, true)),
      rowCount: 4,
      columns: [{ type, values, validity: addressOf(bits) }],
      blocks: [...blocks, bits],
    });
    expect(readRows(batch).map(({ a }) => a)).toEqual([[1, 2], null, [], [3]]);
    batch.release();
    items.batch.release();
    memory.release(offsets);
  });
});

test('numbers that come as columns are made canonical, too', () => {
  withMemory(({ scope, memory }) => {
    const blocks: number[] = [];
    const target = { scope, blocks };
    const odd = columnOf(target, float64Type, [0, 1]);
    memory.bigInt64.set([-(2n ** 63n), 0x7ff8000000000001n], odd.column.values / 8);
    const fields = [fieldOf('n', float64Type)];
    const columns = [odd.column];
    const views = packStructs(target, { fields, rowCount: 2, validity: 0, columns });
    const bytes = [0, 1].map((row) => [...viewBytes(memory, views + row * 16)]);
    expect(bytes).toEqual([
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 248, 127],
    ]);
    for (const block of blocks) memory.release(block);
    odd.batch.release();
  });
});
