/** Goal: sort and top give what Array.sort gives, stable, with nulls where they are asked for. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import { SortOperator } from '../../../engine/operators/sort-operator.ts';
import { float64Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import type { OrderColumn } from '../../../engine/stream/row-order.ts';
import { checkOperator, type Row, runModes, runOperator } from '../../support/operator-harness.ts';

const schema = schemaOf(
  fieldOf('text', utf8Type, true),
  fieldOf('n', int64Type, true),
  fieldOf('at', float64Type),
);
const rowsOf = fc
  .array(
    fc.record({
      text: fc.option(
        fc.string({ unit: fc.constantFrom('a', 'b', 'same long start '), maxLength: 3 }),
      ),
      n: fc.option(fc.bigInt({ min: -2n, max: 2n })),
    }),
    { maxLength: 40 },
  )
  .map((rows): Row[] => rows.map((row, at) => ({ ...row, at })));
const orders = fc
  .tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([a, b, c, d]): OrderColumn[] => [
    { column: 'text', isDescending: a, areNullsFirst: b },
    { column: 'n', isDescending: c, areNullsFirst: d },
  ]);

/** The reference; Array.sort is stable. */
function sorted(rows: readonly Row[], order: readonly OrderColumn[]): Row[] {
  const firstDifference = (a: Row, b: Row) =>
    order.map((column) => compare(a, b, column)).find((compared) => compared !== 0) ?? 0;
  return [...rows].sort(firstDifference);
}

function compare(a: Row, b: Row, { column, isDescending, areNullsFirst }: OrderColumn): number {
  const [x, y] = [a[column] as string | bigint | null, b[column] as string | bigint | null];
  if (x === y) return 0;
  if (x === null || y === null) return (x === null) === areNullsFirst ? -1 : 1;
  return x < y === isDescending ? 1 : -1;
}

test('all rows in order', () => {
  fc.assert(
    fc.property(rowsOf, orders, (rows, order) =>
      checkOperator({
        input: schema,
        rows,
        expected: sorted(rows, order),
        build: (context) => new SortOperator(context, { schema, order }),
      }),
    ),
    { numRuns: 40 },
  );
});

test('the first rows of the order', () => {
  fc.assert(
    fc.property(rowsOf, orders, fc.nat(45), (rows, order, count) =>
      checkOperator({
        input: schema,
        rows,
        expected: sorted(rows, order).slice(0, count),
        build: (context) => new SortOperator(context, { schema, order, count }),
      }),
    ),
    { numRuns: 40 },
  );
});

/** Rows of 9 MB in all, so that they are more than the least share. */
function wideRows(kilobytes: number, keyCount: number): Row[] {
  return Array.from({ length: Math.ceil(9_000 / kilobytes) }, (_, at) => ({
    text: at % 17 === 0 ? null : `${(at * 7919) % keyCount} `.padEnd(kilobytes << 10, 'x'),
    n: at % 3 === 0 ? null : BigInt((at * 31) % 5),
    at,
  }));
}

const wideCases = fc.record({
  kilobytes: fc.integer({ min: 3, max: 12 }),
  keyCount: fc.integer({ min: 1, max: 60 }),
  shareKilobytes: fc.integer({ min: 3000, max: 4000 }),
  count: fc.option(fc.integer({ min: 500, max: 2000 }), { nil: undefined }),
});

test('more rows than the share of memory holds', () => {
  fc.assert(
    fc.property(wideCases, orders, ({ kilobytes, keyCount, shareKilobytes, count }, order) => {
      const rows = wideRows(kilobytes, keyCount);
      const top = count === undefined ? {} : { count };
      const build = (context: OperatorContext) =>
        new SortOperator(context, { schema, order, ...top });
      const expected = sorted(rows, order).slice(0, count);
      for (const mode of runModes.slice(-2)) {
        const shareBytes = shareKilobytes << 10;
        const options = { input: schema, rows, build, expected: [], shareBytes };
        const found = runOperator(options, { ...mode, batchRows: () => 40 });
        expect(found.map(({ at }) => at)).toEqual(expected.map(({ at }) => at));
        expect(found.every(({ text }, row) => text === expected[row]?.text)).toBe(true);
      }
    }),
    { numRuns: 10 },
  );
});

test.each([1, 20, 9_000])('top %i of many rows, which compacts on the way', (count) => {
  const rows = Array.from({ length: 120_000 }, (_, at): Row => {
    const n = (at * 7_919) % 100_003;
    return { text: `word ${n}`, n: BigInt(n), at };
  });
  const order = [{ column: 'n', isDescending: false, areNullsFirst: false }];
  const build = (context: OperatorContext) => new SortOperator(context, { schema, order, count });
  for (const batchRows of [8192, 700]) {
    for (const mode of runModes.slice(-1)) {
      const ran = { ...mode, batchRows: () => batchRows };
      const found = runOperator({ input: schema, rows, build, expected: [] }, ran);
      expect(found.map(({ at }) => at)).toEqual(
        sorted(rows, order)
          .slice(0, count)
          .map(({ at }) => at),
      );
    }
  }
});
