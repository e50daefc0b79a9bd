/** Goal: boundaries divide a sample into parts of the same size, in any order of its rows. */
import fc from 'fast-check';
import { test } from 'vitest';
import { BoundariesOperator } from '../../../engine/operators/boundaries-operator.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator } from '../../support/operator-harness.ts';

const input = schemaOf(
  fieldOf('text', utf8Type),
  fieldOf('n', int32Type, true),
  fieldOf('m', int32Type),
);
const output = schemaOf(fieldOf('text', utf8Type), fieldOf('n', int32Type, true));
const order = [
  { column: 'n', isDescending: true, areNullsFirst: true },
  { column: 'text', isDescending: false, areNullsFirst: false },
];

const rows = fc.array(
  fc.record({
    text: fc.constantFrom('', 'b', 'a text that is long'),
    n: fc.option(fc.integer({ min: -3, max: 3 })),
    m: fc.nat(9),
  }),
  { maxLength: 50 },
);

test('the rows at even distances of the sorted sample, without what is no key', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 2, max: 6 }), (sample, rangeCount) => {
      const sorted = sample
        .map(({ text, n }) => ({ text, n }))
        .sort((a, b) => {
          if (a.n !== b.n) return a.n === null ? -1 : b.n === null ? 1 : b.n - a.n;
          return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
        });
      const places = Array.from({ length: rangeCount - 1 }, (_, at) =>
        Math.floor(((at + 1) * sorted.length) / rangeCount),
      );
      checkOperator({
        input,
        rows: sample,
        build: (context) => new BoundariesOperator(context, { input, output, order, rangeCount }),
        expected: [...new Set(places)].flatMap((place) => sorted[place] ?? []),
      });
    }),
    { numRuns: 60 },
  );
});
