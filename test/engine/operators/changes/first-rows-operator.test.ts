/** Goal: of rows with equal keys the first goes on, whole and at once, whatever the batches. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FirstRowsOperator } from '../../../../engine/operators/changes/first-rows-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { float64Type, int32Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { rowText } from '../../../support/changelog.ts';
import { checkOperator, lehmer, type Row } from '../../../support/operator-harness.ts';
import { runWithinShare } from '../within-share.ts';

const input = schemaOf(
  fieldOf('key', utf8Type, true),
  fieldOf('f', float64Type, true),
  fieldOf('n', int32Type),
);
const anyRow = fc.record({
  key: fc.constantFrom('a', null, 'a text that is too long to be in its view'),
  f: fc.constantFrom(null, 0.5, Number.NaN),
  n: fc.nat(9),
});

/** With a byte for the table, all keys go to disk in front of each batch, and those of its rows come back. */
const onDisk = { tableBytes: 1 };

test.each(
  [['key'], ['key', 'f'], ['key', 'f', 'n']].flatMap((keys) => [
    { keys, more: {} },
    { keys, more: onDisk },
  ]),
)('by $keys, $more', ({ keys, more }) => {
  const keyOf = (row: Row) => rowText(Object.fromEntries(keys.map((name) => [name, row[name]])));
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 60 }), (rows) => {
      const expected = rows.filter(
        (row, at) => rows.findIndex((one) => keyOf(one) === keyOf(row)) === at,
      );
      const build = (context: OperatorContext) =>
        new FirstRowsOperator(context, { input, keys, ...more });
      checkOperator({ input, rows, build, expected });
    }),
    { numRuns: 20 },
  );
});

test('many keys, while the table grows', () => {
  const rows = Array.from({ length: 6_000 }, (_, at) => ({ key: `${at % 4_001}`, f: 1, n: at }));
  const build = (context: OperatorContext) =>
    new FirstRowsOperator(context, { input, keys: ['key'] });
  checkOperator({ input, rows, build, expected: rows.slice(0, 4_001) });
});

test('keys that memory has no room for, within the share', () => {
  const random = lehmer(5);
  const rows = Array.from({ length: 90_000 }, (_, n) => {
    const number = Math.floor(random() * 60_000);
    return { key: `a key that is long, ${number}`, f: 0, n };
  });
  const seen = new Set<string>();
  const expected = rows.filter(({ key }) => !seen.has(key) && seen.add(key));
  const build = (context: OperatorContext) =>
    new FirstRowsOperator(context, { input, keys: ['key'] });
  const { found, spilledBytes } = runWithinShare({ schema: input, rows, build });
  expect(spilledBytes).toBeGreaterThan(1 << 20);
  expect(found.map(({ n }) => n)).toEqual(expected.map(({ n }) => n));
});
