/** Goal: generated drivers read and write values of every type as row readers and builders do. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import { BatchBuilder } from '../../../engine/batch/batch-builder.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { compileDriver } from '../../../engine/compile/compile-driver.ts';
import { DriverHelper } from '../../../engine/compile/driver-helper.ts';
import { flatMapDriver } from '../../../engine/compile/flat-map-driver.ts';
import { bindSource, readSource, sameSource } from '../../../engine/compile/row-source.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { type fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { batchCases, expectedRows, makeBatch, withMemory } from '../../support/batches.ts';

const isMs = (type: FieldType | undefined) => type?.kind === 'timestamp' && type.unit === 'ms';

/** Timestamps in ms within what a number holds: others are refused, as tested elsewhere. */
const cases = batchCases({ rowsMax: 20 }).map((spec) => ({
  ...spec,
  rows: spec.rows.map((row) =>
    row.map((value, index) =>
      isMs(spec.schema.fields[index]?.type) && typeof value === 'bigint' ? value % 1000n : value,
    ),
  ),
}));

test('a row that is copied is the row, in every type', () => {
  fc.assert(
    fc.property(cases, (spec) =>
      withMemory(({ scope, memory }) => {
        const { schema } = spec;
        const batch = makeBatch(scope, spec);
        const builder = new BatchBuilder(scope, schema);
        const seen: Record<string, unknown>[] = [];
        const driver = flatMapDriver({
          ...{ operator: 'tested', memory, input: schema, output: schema, builder },
          flatMap: (row: { copy(): Record<string, unknown> }) => {
            const copy = row.copy();
            seen.push({ ...copy });
            return [copy];
          },
        });
        expect(driver.run(batch, 0, batch.rowCount)).toBe(batch.rowCount);
        const out = builder.build();
        expect(readRows(out)).toEqual(expectedRows(spec));
        expect(seen).toEqual(expectedRows(spec).map((row) => asFunctionsRead(schema, row)));
        driver.close();
        out.release();
        batch.release();
      }),
    ),
    { numRuns: 200 },
  );
});

/** Milliseconds are numbers in functions, and bigints in rows. */
function asFunctionsRead(schema: Schema, row: Record<string, unknown>): Record<string, unknown> {
  const entries = schema.fields.map(({ name, type }) => {
    const value = row[name];
    return [name, isMs(type) && typeof value === 'bigint' ? Number(value) : value];
  });
  return Object.fromEntries(entries);
}

test('two rows have the same value when their values are equal', () => {
  fc.assert(
    fc.property(cases, (spec) =>
      withMemory(({ scope, memory }) => {
        const batch = makeBatch(scope, { ...spec, selected: null });
        const rows = expectedRows({ ...spec, selected: null });
        spec.schema.fields.forEach((field, index) => {
          const same = sameDriver(memory, field, index);
          rows.slice(1).forEach((row, at) => {
            const [a, b] = [rows[at]?.[field.name], row[field.name]];
            expect(same(batch, at, at + 1)).toBe(isSame(a, b));
            expect(same(batch, at, at)).toBe(true);
          });
        });
        batch.release();
      }),
    ),
    { numRuns: 100 },
  );
});

function isSame(a: unknown, b: unknown): boolean {
  return (a === 0 && b === 0) || fc.stringify(a) === fc.stringify(b);
}

function sameDriver(
  memory: Parameters<typeof compileDriver>[1]['memory'],
  field: ReturnType<typeof fieldOf>,
  index: number,
): (batch: Batch, i: number, j: number) => boolean {
  const schema = schemaOf(field);
  const h = new DriverHelper({ operator: 'tested', function: 'map' }, memory, schema);
  const text = [
    bindSource(schema),
    readSource(field, 0),
    sameSource(field, 0),
    'return (batch, i, j) => {',
    '  bind({ columns: [batch.columns[index]], selection: 0 });',
    '  return same0(i, j);',
    '};',
  ].join('\n');
  const inputs = { memory, builder: null, values: { h, index }, label: 'tested' };
  return compileDriver(text, inputs) as ReturnType<typeof sameDriver>;
}
