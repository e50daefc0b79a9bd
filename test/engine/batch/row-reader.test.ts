/** Goal: values read as the schema says, and none is rounded on the way. */
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { readRow, readRows } from '../../../engine/batch/row-reader.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { makeBatch, withMemory } from '../../support/batches.ts';

test('an int64 read as a number is refused when it does not fit one', () => {
  withMemory(({ scope }) => {
    const schema = schemaOf(fieldOf('total', { kind: 'int64', js: 'number' }));
    const batch = makeBatch(scope, { schema, rows: [[1n], [2n ** 53n]], selected: null });
    expect(readRow(batch, 0)).toEqual({ total: 1 });
    let failure: unknown;
    try {
      readRows(batch);
    } catch (error) {
      failure = error;
    }
    expect(codeOf(failure)).toBe('VALUE_OUT_OF_RANGE');
    expect(String(failure)).toContain('9007199254740992 of column "total"');
    batch.release();
  });
});

test('rows are counted among the selected ones', () => {
  withMemory(({ scope }) => {
    const schema = schemaOf(fieldOf('n', int32Type, true));
    const batch = makeBatch(scope, { schema, rows: [[0], [null], [2], [3]], selected: [1, 3] });
    expect(readRow(batch, 1)).toEqual({ n: 3 });
    expect(readRows(batch)).toEqual([{ n: null }, { n: 3 }]);
    batch.release();
  });
});
