/** Goal: rows leave as plain objects with the values that a user's function reads. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowsDriver } from '../../../engine/compile/rows-driver.ts';
import { int32Type, int64Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchCases, expectedRows, makeBatch, withMemory } from '../../support/batches.ts';

/** As a function reads it: a timestamp in ms is a number, where one holds it. */
function isReadable(value: unknown): boolean {
  return typeof value !== 'bigint' || Number.isSafeInteger(Number(value));
}

test('any batch, selected or not', () => {
  fc.assert(
    fc.property(batchCases(), (spec) =>
      withMemory(({ scope, memory }) => {
        const isMs = spec.schema.fields.map(
          ({ type }) => type.kind === 'timestamp' && type.unit === 'ms',
        );
        fc.pre(spec.rows.every((row) => row.every((value, at) => !isMs[at] || isReadable(value))));
        const batch = makeBatch(scope, spec);
        const rows = rowsDriver(memory, spec.schema, 'test')(batch);
        const expected = expectedRows(spec).map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([name, value], at) => [
              name,
              isMs[at] && value !== null ? Number(value) : value,
            ]),
          ),
        );
        expect(rows).toEqual(expected);
        batch.release();
      }),
    ),
  );
});

test('an int64 that is declared as a number and is none is an error', () => {
  withMemory(({ scope, memory }) => {
    const wide = { schema: schemaOf(fieldOf('n', int64Type)), rows: [[2n ** 60n]], selected: null };
    const batch = makeBatch(scope, wide);
    const asNumber = schemaOf(fieldOf('n', { kind: 'int64', js: 'number' }));
    expect(() => rowsDriver(memory, asNumber, 'test')(batch)).toThrow(
      'field "n" does not fit a number',
    );
    batch.release();
  });
});

test('a field may have any name', () => {
  withMemory(({ scope, memory }) => {
    const names = ['__proto__', 'a"b', '', 'row', 'i', 'constructor'];
    const schema = schemaOf(...names.map((name) => fieldOf(name, int32Type)));
    const batch = makeBatch(scope, { schema, rows: [names.map((_, at) => at)], selected: null });
    const [row = {}] = rowsDriver(memory, schema, 'test')(batch);
    expect(Object.entries(row)).toEqual(names.map((name, at) => [name, at]));
    batch.release();
  });
});
