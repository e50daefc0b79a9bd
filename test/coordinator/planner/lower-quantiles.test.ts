/**
 * Goal: quantiles of columns of any type, by keys and windows, at any parallelism, are those of sorted values while
 * these are few, and near them by their rank when they are many.
 */
import fc from 'fast-check';
import { agg, defineJob, t, tumbling } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import type { SourceOf, Stream } from '../../../engine/api/index.ts';
import type { ColumnsOf } from '../../../engine/api/value-type.ts';
import { isoDateOfDays } from '../../../engine/schema/date-text.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource } from '../../support/plan-runner.ts';

const Line = t.struct({
  user: t.utf8().nullable(),
  small: t.int8().nullable(),
  long: t.int64(),
  real: t.float32(),
  price: t.decimal(12, 2).nullable(),
  day: t.date().nullable(),
  at: t.timestampMs(),
  exact: t.timestampUs(),
});
type Lines = Stream<ColumnsOf<typeof Line.fields>>;

interface Planned {
  readonly parallelism: number;
  readonly shuffle: 'memory' | 'disk';
}

const options = fc.record<Planned>({
  parallelism: fc.integer({ min: 1, max: 3 }),
  shuffle: fc.constantFrom('memory', 'disk'),
});

/** Whole numbers as numbers, whatever their type. */
function rowsOf(build: (lines: Lines) => unknown, table: readonly Row[], planned: Planned): Row[] {
  const job = defineJob({
    name: 'quantiles',
    build: ({ read }) => {
      const lines = read(tableSource('lines', Line.schema) as SourceOf<never>) as never as Lines;
      return (build(lines) as Lines).writeTo(rowsSink('out'));
    },
  });
  const graph = planJob(buildJob(job, {}).graph, planned);
  const found = runPlan(graph, { tables: { lines: table }, functions: new Map() });
  const plain = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  return (found.get('out') ?? []).map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])),
  );
}

const tables = fc
  .array(
    fc.record({
      user: fc.option(fc.constantFrom('ann', 'bob')),
      n: fc.integer({ min: -128, max: 127 }),
      isNull: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((rows) =>
    rows.map(({ user, n, isNull }): Row => {
      const long = BigInt(n);
      const given = { user, long, real: n, at: 10_000 + n, exact: 10_000n + long };
      const price = `${n < 0 ? '-' : ''}${Math.abs(n)}.00`;
      if (isNull) return { ...given, small: null, price: null, day: null };
      return { ...given, small: n, price, day: isoDateOfDays(n) };
    }),
  );

/** Of all values by a straight line; null where there is none. */
function exactOf(values: readonly number[], share: number): number | null {
  const inOrder = [...values].sort((a, b) => a - b);
  const place = share * (inOrder.length - 1);
  const [low, high = low] = inOrder.slice(Math.floor(place), Math.floor(place) + 2);
  if (low === undefined || high === undefined) return null;
  return low + (high - low) * (place - Math.floor(place));
}

const rounded = (value: number) => Math.sign(value) * Math.round(Math.abs(value));

function quantilesOf(rows: readonly Row[], share: number): Row {
  const all = exactOf(
    rows.map(({ long }) => Number(long)),
    share,
  );
  const some = exactOf(
    rows.flatMap(({ small }) => (small === null ? [] : [Number(small)])),
    share,
  );
  return {
    small: some,
    long: all,
    real: all,
    price: some,
    day: some === null ? null : isoDateOfDays(rounded(some)),
    at: all === null ? null : rounded(10_000 + all),
    exact: all === null ? null : rounded(10_000 + all),
  };
}

const aggregatesOf = (share: number) => ({
  small: agg.approxQuantile((line: ColumnsOf<typeof Line.fields>) => line.small, share),
  long: agg.approxQuantile((line: ColumnsOf<typeof Line.fields>) => line.long, share),
  real: agg.approxQuantile((line: ColumnsOf<typeof Line.fields>) => line.real, share),
  price: agg.approxQuantile((line: ColumnsOf<typeof Line.fields>) => line.price, share),
  day: agg.approxQuantile((line: ColumnsOf<typeof Line.fields>) => line.day, share),
  at: agg.approxQuantile((line: ColumnsOf<typeof Line.fields>) => line.at, share),
  exact: agg.approxQuantile((line: ColumnsOf<typeof Line.fields>) => line.exact, share),
});

const shares = fc.constantFrom(0, 0.25, 0.5, 0.9, 1);

function groupsBy<Key>(rows: readonly Row[], keyOf: (row: Row) => Key): [Key, Row[]][] {
  const keys = [...new Set(rows.map((row) => JSON.stringify(keyOf(row))))];
  return keys.map((key) => {
    const own = rows.filter((row) => JSON.stringify(keyOf(row)) === key);
    return [JSON.parse(key) as Key, own];
  });
}

const inOrder = (rows: readonly Row[], ...names: readonly string[]) => {
  const textOf = (row: Row) => JSON.stringify(names.map((name) => row[name]));
  return [...rows].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
};

test('few values of any type, by a key', () => {
  fc.assert(
    fc.property(tables, shares, options, (table, share, planned) => {
      const found = rowsOf(
        (lines) => lines.keyBy((line) => line.user).aggregate(aggregatesOf(share)),
        table,
        planned,
      );
      const expected = groupsBy(table, ({ user }) => user).map(([user, rows]) => {
        return { user, ...quantilesOf(rows, share) };
      });
      expect(inOrder(found, 'user')).toEqual(inOrder(expected, 'user'));
    }),
    { numRuns: 25 },
  );
});

test('of all rows, of which there may be none', () => {
  fc.assert(
    fc.property(tables, shares, options, (table, share, planned) => {
      const found = rowsOf((lines) => lines.aggregate(aggregatesOf(share)), table, planned);
      expect(found).toEqual([quantilesOf(table, share)]);
    }),
    { numRuns: 25 },
  );
});

test('by windows and a key, several of one column, of which one is a key', () => {
  fc.assert(
    fc.property(tables, options, (table, planned) => {
      const found = rowsOf(
        (lines) =>
          lines
            .eventTime((line) => line.at)
            .keyBy((line) => ({ user: line.user, at: line.at.gt(10_000) }))
            .window(tumbling({ sizeMs: 100 }))
            .aggregate({
              least: agg.approxQuantile((line) => line.at, 0),
              middle: agg.approxQuantile((line) => line.at, 0.5),
              long: agg.approxQuantile((line) => line.long.mul(2), 0.5),
            }),
        table,
        planned,
      );
      const keyOf = ({ user, at }: Row) => {
        const windowStart = Math.floor(Number(at) / 100) * 100;
        return { windowStart, windowEnd: windowStart + 100, user, at: Number(at) > 10_000 };
      };
      const expected = groupsBy(table, keyOf).map(([key, rows]) => {
        const values = rows.map(({ at }) => Number(at));
        const long = exactOf(
          rows.map((row) => Number(row.long) * 2),
          0.5,
        );
        const middle = rounded(exactOf(values, 0.5) ?? 0);
        return { ...key, least: Math.min(...values), middle, long };
      });
      const names = ['windowStart', 'user', 'at'];
      expect(inOrder(found, ...names)).toEqual(inOrder(expected, ...names));
    }),
    { numRuns: 25 },
  );
});

test('NaN is above all numbers', () => {
  const table = [Number.NaN, 1, Number.NaN, Number.NEGATIVE_INFINITY].map((real): Row => {
    return { user: 'ann', small: 1, long: 1n, real, price: null, day: null, at: 0, exact: 0n };
  });
  const build = (lines: Lines) =>
    lines.aggregate({
      least: agg.approxQuantile((line) => line.real, 0),
      low: agg.approxQuantile((line) => line.real, 1 / 3),
      high: agg.approxQuantile((line) => line.real, 0.6),
    });
  const planned = { parallelism: 2, shuffle: 'memory' } as const;
  expect(rowsOf(build, table, planned)).toEqual([
    { least: Number.NEGATIVE_INFINITY, low: 1, high: Number.NaN },
  ]);
});

/** A value's rank is its place among all; most keys have the same few values again and again. */
test.each([1, 2, 3])('many values in %i tasks', (parallelism) => {
  const table = Array.from({ length: 12_000 }, (_, n): Row => {
    const long = BigInt((n * 7_919) % 11_003) ** 2n;
    const given = { price: null, day: null, at: 0, exact: 0n, small: null };
    return { ...given, user: n % 4 === 0 ? 'ann' : 'bob', long, real: (n * 31) % 7 };
  });
  const found = rowsOf(
    (lines) =>
      lines
        .keyBy((line) => line.user)
        .aggregate({
          first: agg.approxQuantile((line) => line.long, 0.01),
          half: agg.approxQuantile((line) => line.long, 0.5),
          most: agg.approxQuantile((line) => line.long, 0.99),
          few: agg.approxQuantile((line) => line.real, 0.5),
        }),
    table,
    { parallelism, shuffle: 'disk' },
  );
  for (const { user, first, half, most, few } of found) {
    const values = table.filter((row) => row.user === user).map(({ long }) => Number(long));
    const rankOf = (value: unknown) =>
      values.filter((one) => one < Number(value)).length / values.length;
    expect(Math.abs(rankOf(first) - 0.01)).toBeLessThan(0.002);
    expect(Math.abs(rankOf(half) - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(rankOf(most) - 0.99)).toBeLessThan(0.002);
    expect(few).toBe(3);
  }
  expect(found.length).toBe(2);
});
