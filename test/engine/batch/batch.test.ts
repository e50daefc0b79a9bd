/** Goal: a batch's blocks live exactly as long as somebody holds a batch that needs them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch, batchRowsMax } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  batchCases,
  expectedRows,
  fullBatchCases,
  makeBatch,
  withMemory,
} from '../../support/batches.ts';

const schema = schemaOf(fieldOf('word', utf8Type), fieldOf('count', int32Type));
const rows = [
  ['the', 1],
  ['longer than eight', 2],
  ['a', 3],
];
const spec = { schema, rows, selected: null };

test('random batches read as they were built, selected or not', () => {
  fc.assert(
    fc.property(batchCases(), (random) => {
      withMemory(({ scope }) => {
        const batch = makeBatch(scope, random);
        expect(readRows(batch)).toEqual(expectedRows(random));
        expect(batch.rowCount).toBe(expectedRows(random).length);
        batch.release();
      });
    }),
    { numRuns: 150 },
  );
});

test('full batches of every type read as they were built', () => {
  fc.assert(
    fc.property(fullBatchCases(), (random) => {
      withMemory(({ scope }) => {
        const batch = makeBatch(scope, random);
        expect(readRows(batch)).toEqual(expectedRows(random));
        batch.release();
      });
    }),
    { numRuns: 2 },
  );
});

test('a derived batch outlives the one it was made from', () => {
  withMemory(({ scope, memory }) => {
    const batch = makeBatch(scope, spec);
    const held = memory.usedBytes;
    const block = scope.allocate(8);
    memory.uint32.set([0, 2], addressOf(block) >>> 2);
    const [first, second] = batch.columns;
    if (first === undefined || second === undefined) throw new Error('two columns');
    const derived = batch.derive({
      schema: schemaOf(fieldOf('n', int32Type), fieldOf('w', utf8Type)),
      columns: [second, first],
      rowCount: 2,
      selection: addressOf(block),
      blocks: [block],
    });
    batch.release();
    expect(memory.usedBytes).toBe(held + memory.sizeOf(block));
    expect(readRows(derived)).toEqual([
      { n: 1, w: 'the' },
      { n: 3, w: 'a' },
    ]);
    expect([derived.storedRows, derived.storedRowOf(1)]).toEqual([3, 2]);
    // What is derived without changes of the selection keeps it.
    const again = derived.derive({});
    derived.release();
    expect(readRows(again)).toHaveLength(2);
    again.release();
  });
});

test('the last of several references releases the blocks, and one too many is noticed', () => {
  withMemory(({ scope, memory }) => {
    const batch = makeBatch(scope, spec);
    expect(batch.retain()).toBe(batch);
    batch.release();
    expect(readRows(batch)).toHaveLength(3);
    batch.release();
    memory.assertEmpty();
    expect(() => batch.release()).toThrow('as often as it is held');
    expect(() => batch.retain()).toThrow('in use');
    expect(() => batch.derive({})).toThrow('in use');
  });
});

test('a batch that contradicts itself is noticed', () => {
  withMemory(({ memory }) => {
    const type = int32Type;
    const one = {
      schema: schemaOf(fieldOf('n', type)),
      columns: [{ type, validity: 0, values: 8 }],
    };
    const make = (parts: object) => () =>
      new Batch(memory, { ...one, rowCount: 1, blocks: [], ...parts });
    expect(make({})).not.toThrow();
    expect(make({ rowCount: batchRowsMax + 1 })).toThrow('8,192');
    expect(make({ storedRows: 2 })).toThrow('without a selection');
    expect(make({ rowCount: 3, storedRows: 2, selection: 64 })).toThrow('at most the rows');
    expect(make({ columns: [] })).toThrow('one column for each field');
  });
});
