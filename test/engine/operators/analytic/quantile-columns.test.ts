/** Goal: quantiles of groups are those of their centroids, however these come, in little memory too. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compressed, quantileOf } from '../../../../engine/kernels/digest.ts';
import { OrderedAggregateOperator } from '../../../../engine/operators/analytic/ordered-aggregate-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { float64Type, int64Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { ascending } from '../../../../engine/stream/row-order.ts';
import {
  checkOperator,
  type Row,
  runModes,
  runOperator,
} from '../../../support/operator-harness.ts';

const input = schemaOf(
  fieldOf('key', int64Type, true),
  fieldOf('mean', float64Type, true),
  fieldOf('weight', float64Type),
);
const quantiles = [0.5, 0, 0.9];
const rowsOf = fc
  .array(
    fc.record({
      key: fc.option(fc.bigInt({ min: 0n, max: 2n })),
      // Different ones: what the weights of equal means are is a matter of their order.
      mean: fc.option(fc.integer({ min: -99, max: 99 })),
      weight: fc.integer({ min: 1, max: 4 }),
    }),
    { maxLength: 24 },
  )
  .map((rows) => {
    const seen = new Set<string>();
    return rows.filter(({ key, mean }) => {
      const place = `${key} ${mean}`;
      return !seen.has(place) && seen.add(place);
    });
  });

function optionsOf(keys: readonly string[]) {
  const results = quantiles.map((quantile) => fieldOf(`q${quantile}`, float64Type, true));
  const key = keys.length === 0 ? [] : [fieldOf('key', int64Type, true)];
  const aggregates = quantiles.map((quantile) => ({
    ...({ name: `q${quantile}`, function: 'approxQuantile', quantile } as const),
    columns: ['mean', 'weight'],
  }));
  const output = schemaOf(...key, ...results);
  return { input, output, keys, order: [ascending('mean')], aggregates };
}

/** The reference. */
function groupsOf(rows: readonly Row[], keys: readonly string[]): Row[] {
  const found = keys.length === 0 ? [null] : [...new Set(rows.map(({ key }) => key))];
  found.sort((a, b) => (a === null ? 1 : b === null ? -1 : Number(a) - Number(b)));
  return found.map((key) => {
    const own = rows
      .filter((row) => row.mean !== null && (keys.length === 0 || row.key === key))
      .map(({ mean, weight }) => ({ mean: Number(mean), weight: Number(weight) }))
      .sort((a, b) => a.mean - b.mean);
    const results = quantiles.map((share) => [`q${share}`, quantileOf(compressed(own), share)]);
    return { ...(keys.length === 0 ? {} : { key }), ...Object.fromEntries(results) };
  });
}

test('any centroids, by a key or all together', () => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom([], ['key']), (rows, keys) => {
      checkOperator({
        input,
        rows,
        expected: groupsOf(rows, keys),
        build: (context) => new OrderedAggregateOperator(context, optionsOf(keys)),
      });
    }),
    { numRuns: 60 },
  );
});

test('more centroids than memory holds, and groups of many batches', () => {
  const rows = Array.from({ length: 150_000 }, (_, n): Row => {
    return { key: n % 3_001 === 0 ? 1n : 2n, mean: (n * 7_919) % 150_001, weight: 1 };
  });
  const build = (context: OperatorContext) =>
    new OrderedAggregateOperator(context, optionsOf(['key']));
  const [mode = runModes[0]] = runModes.slice(-1);
  expect(mode).toBeDefined();
  if (mode === undefined) return;
  const tested = { input, rows, build, expected: [], shareBytes: 4 << 20 };
  const found = runOperator(tested, { ...mode, batchRows: () => 1_000 });
  const exact = groupsOf(rows, ['key']);
  expect(found[0]).toEqual(exact[0]);
  for (const share of quantiles) {
    const error = Number(found[1]?.[`q${share}`]) - Number(exact[1]?.[`q${share}`]);
    expect(Math.abs(error) / 150_001).toBeLessThan(0.002);
  }
});
