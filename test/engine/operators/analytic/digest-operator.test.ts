/** Goal: centroids of a key have its values, one each while they are few; in little memory none is lost, and ranks stay. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Centroid, compressed, quantileOf } from '../../../../engine/kernels/digest.ts';
import { DigestOperator } from '../../../../engine/operators/analytic/digest-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { float64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import {
  checkOperator,
  type Row,
  type RunMode,
  runModes,
  runOperator,
} from '../../../support/operator-harness.ts';
import { shareOf } from '../../../support/spill-space.ts';

const input = schemaOf(fieldOf('user', utf8Type, true), fieldOf('x', float64Type, true));
const rowsOf = fc.array(
  fc.record({
    user: fc.option(fc.constantFrom('', 'ann', 'a user with a long name')),
    x: fc.option(fc.constantFrom(-1, 0.5, 2, Number.NaN, Number.POSITIVE_INFINITY)),
  }),
  { maxLength: 24 },
);

function optionsOf(keys: readonly string[]) {
  const fields = keys.length === 0 ? [] : [fieldOf('user', utf8Type, true)];
  const output = schemaOf(
    ...fields,
    fieldOf('x', float64Type, true),
    fieldOf('weight', float64Type),
  );
  return { input, output, keys, column: 'x' };
}

/** The reference: values in order, each a centroid; a key of nulls alone has one of weight 0. */
function singlesOf(rows: readonly Row[], keys: readonly string[]): Row[] {
  const users = [...new Set(rows.map(({ user }) => (keys.length === 0 ? null : user)))];
  users.sort((a, b) => (a === null ? 1 : b === null ? -1 : String(a) < String(b) ? -1 : 1));
  return users.flatMap((user): Row[] => {
    const own = rows.filter((row) => keys.length === 0 || row.user === user);
    const values = own.flatMap(({ x }) => (x === null ? [] : [x as number]));
    values.sort((a, b) => Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || a - b || 0);
    const key = keys.length === 0 ? {} : { user };
    if (values.length === 0) return [{ ...key, x: null, weight: 0 }];
    return values.map((x) => ({ ...key, x, weight: 1 }));
  });
}

test('few values, by a key or all together', () => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom([], ['user']), (rows, keys) => {
      checkOperator({
        input,
        rows,
        expected: singlesOf(rows, keys),
        build: (context) => new DigestOperator(context, optionsOf(keys)),
      });
    }),
    { numRuns: 60 },
  );
});

/** Runs in so little memory that rows are given out many times. */
function digested(rows: readonly Row[], keys: readonly string[], mode: RunMode): Row[] {
  const build = (context: OperatorContext) => {
    const spill = { ...context.spill, share: shareOf(4 << 20) };
    return new DigestOperator({ ...context, spill }, optionsOf(keys));
  };
  return runOperator({ input, rows, build, expected: [] }, mode);
}

const lastModes = runModes
  .slice(-1)
  .flatMap((mode) => [1_000, 60].map((size): RunMode => ({ ...mode, batchRows: () => size })));

test.each(lastModes)('more rows than memory holds, of few keys', (mode) => {
  const rows = Array.from({ length: 200_000 }, (_, n): Row => {
    return { user: `user ${n % 3}`, x: n % 11 === 0 ? null : (n * 7_919) % 200_003 };
  });
  const found = digested(rows, ['user'], mode);
  expect(found.length).toBeLessThan(rows.length / 10);
  for (const user of ['user 0', 'user 1', 'user 2']) {
    const values = rows.flatMap((row) => (row.user === user && row.x !== null ? [row.x] : []));
    values.sort((a, b) => Number(a) - Number(b));
    const parts = found
      .filter((row) => row.user === user && row.x !== null)
      .map(({ x, weight }): Centroid => ({ mean: Number(x), weight: Number(weight) }));
    expect(parts.reduce((sum, { weight }) => sum + weight, 0)).toBe(values.length);
    const centroids = compressed(parts.sort((a, b) => a.mean - b.mean));
    expect(quantileOf(centroids, 0)).toBe(values[0]);
    expect(quantileOf(centroids, 1)).toBe(values.at(-1));
    for (const share of [0.01, 0.5, 0.9]) {
      const exact = Number(values[Math.round(share * (values.length - 1))]);
      // Values are spread evenly, so a rank is a value.
      expect(Math.abs((quantileOf(centroids, share) ?? 0) - exact) / 200_003).toBeLessThan(0.003);
    }
  }
});

test.each(lastModes)('of so many keys that digests save nothing rows go through', (mode) => {
  const rows = Array.from({ length: 100_000 }, (_, n): Row => {
    return { user: `user ${(n * 7_919) % 99_991}`, x: n % 11 === 0 ? null : n };
  });
  const found = digested(rows, ['user'], mode);
  const valuesIn = (all: readonly Row[]) =>
    all.flatMap(({ x }) => (x === null ? [] : [Number(x)])).sort((a, b) => a - b);
  expect(valuesIn(found)).toEqual(valuesIn(rows));
  expect(found.filter(({ x, weight }) => x !== null && weight !== 1)).toEqual([]);
  expect(new Set(found.map(({ user }) => user)).size).toBe(99_991);
  // The last ones are as they came.
  expect(found.slice(-2).map(({ user }) => user)).toEqual(rows.slice(-2).map(({ user }) => user));
});
