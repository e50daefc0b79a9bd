/**
 * Goal: the first rows of all that have come and not gone, whenever an update is due: what went of them is deleted, what
 * came is inserted, and never are there more than were asked for.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RunningTopOperator } from '../../../../engine/operators/changes/running-top-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import type { RankFunction } from '../../../../engine/plan/analytic-functions.ts';
import { rowKinds, rowKindType } from '../../../../engine/plan/row-kind.ts';
import { int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { ascending } from '../../../../engine/stream/row-order.ts';
import { applied, rowText, sorted } from '../../../support/changelog.ts';
import {
  checkOperator,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';

const input = schemaOf(
  fieldOf('word', utf8Type),
  fieldOf('n', int64Type, true),
  fieldOf('weight', int64Type),
);
const output = schemaOf(
  fieldOf('word', utf8Type),
  fieldOf('n', int64Type, true),
  fieldOf('kind', rowKindType),
);
const order = [{ ...ascending('n'), isDescending: true }, ascending('word')];
const topOf =
  (count: number, isOfChanges = true) =>
  (context: OperatorContext) =>
    new RunningTopOperator(context, {
      ...{ input, output, order, count, isOfChanges, everyMs: 100 },
      ranks: null,
    });

/** The reference: all rows, sorted. Nulls come last. */
function topOfRows(rows: readonly Row[], count: number): Row[] {
  const placeOf = ({ n }: Row) => (n === null ? Number.NEGATIVE_INFINITY : Number(n));
  return rows
    .toSorted((a, b) => placeOf(b) - placeOf(a) || (String(a.word) < String(b.word) ? -1 : 1))
    .slice(0, count);
}

interface Life {
  readonly word: string;
  readonly n: bigint | null;
  readonly goesAfter: number;
  readonly isDue: boolean;
}

/** Rows that come, some of which go again some places later; an update is due where a place says so. */
const anyLife = fc.record({
  word: fc.constantFrom('a', 'b', 'c', 'a word that is too long to be in its view'),
  n: fc.option(fc.bigInt(0n, 5n), { freq: 6 }),
  goesAfter: fc.nat(14),
  isDue: fc.boolean(),
});

/** What comes and goes, one after the other, and what is there in the end. */
function storyOf(lives: readonly Life[], onlyComes: boolean) {
  const timed: { readonly at: number; readonly step: Step; readonly row: Row }[] = [];
  for (const [at, { goesAfter, isDue, ...row }] of lives.entries()) {
    timed.push({ at, step: { row: { ...row, weight: 1n } }, row });
    if (isDue) timed.push({ at: at + 0.7, step: { wake: (at + 1) * 1_000 }, row });
    if (onlyComes || goesAfter > 6) continue;
    const step = { row: { ...row, weight: -1n } };
    timed.push({ at: at + goesAfter + 0.5, step, row });
  }
  timed.sort((a, b) => a.at - b.at);
  const left: Row[] = [];
  for (const { step, row } of timed) {
    if (!('row' in step)) continue;
    if (step.row.weight === 1n) left.push(row);
    else
      left.splice(
        left.findIndex((one) => rowText(one) === rowText(row)),
        1,
      );
  }
  const steps = timed.map(({ step }) => step);
  return { steps, left };
}

test.each([0, 1, 3, 100])('the first %d', (count) => {
  fc.assert(
    fc.property(fc.array(anyLife, { maxLength: 30 }), fc.boolean(), (lives, onlyComes) => {
      const { steps, left } = storyOf(lives, onlyComes);
      const build = topOf(count, !onlyComes);
      for (const mode of runModes) {
        const found = runOperator({ input, steps, build, expected: [] }, mode);
        expect(applied(found, 'kind'), mode.name).toEqual(sorted(topOfRows(left, count)));
        expect(mostOf(found), mode.name).toBeLessThanOrEqual(count);
      }
    }),
    { numRuns: 30 },
  );
});

/** How many rows there are at most. */
function mostOf(changes: readonly Row[]): number {
  let [now, most] = [0, 0];
  for (const { kind } of changes) {
    now += kind === rowKinds.insert ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}

test('what does not change is not given out again', () => {
  const row = (word: string, n: bigint): Step => ({ row: { word, n, weight: 1n } });
  const steps = [row('a', 5n), row('b', 4n), { wake: 1_000 }, row('c', 3n), { wake: 2_000 }];
  const more = [row('d', 5n), { wake: 3_000 }];
  const { insert, delete: gone } = rowKinds;
  checkOperator({
    ...{ input, steps: [...steps, ...more], build: topOf(2), isOrdered: false },
    expected: [
      { word: 'a', n: 5n, kind: insert },
      { word: 'b', n: 4n, kind: insert },
      { word: 'b', n: 4n, kind: gone },
      { word: 'd', n: 5n, kind: insert },
    ],
  });
});

test('many rows', () => {
  const rows = Array.from({ length: 9_000 }, (_, at): Row => {
    return { word: `word ${at % 2_999} of many`, n: BigInt((at * 7_919) % 9_001) };
  });
  const steps = rows.map((row): Step => ({ row: { ...row, weight: 1n } }));
  const [mode] = runModes;
  const found = runOperator({ input, steps, build: topOf(500), expected: [] }, mode as never);
  expect(applied(found, 'kind')).toEqual(sorted(topOfRows(rows, 500)));
});

const placedOutput = {
  fields: [
    ...output.fields.slice(0, -1),
    fieldOf('place', int64Type),
    fieldOf('kind', rowKindType),
  ],
};

/** The reference: the rows of each word in the order of n, one by one. */
function placesOf(rows: readonly Row[], rank: RankFunction, count: number): Row[] {
  return [...Map.groupBy(rows, ({ word }) => word).values()].flatMap((all) => {
    const placed = topOfRows(all, all.length);
    const values = placed.map(({ n }) => n);
    return placed.flatMap((row, at) => {
      const before = () => values.indexOf(row.n ?? null);
      const number = {
        rowNumber: () => at + 1,
        rank: () => before() + 1,
        denseRank: () => new Set(values.slice(0, before())).size + 1,
      }[rank]();
      return number <= count ? [{ ...row, place: BigInt(number) }] : [];
    });
  });
}

test.each(
  (['rowNumber', 'rank', 'denseRank'] as const).flatMap((rank) => [
    [rank, 1] as const,
    [rank, 2] as const,
  ]),
)('of each partition %s up to %d', (rank, count) => {
  fc.assert(
    fc.property(fc.array(anyLife, { maxLength: 30 }), fc.boolean(), (lives, onlyComes) => {
      const { steps, left } = storyOf(lives, onlyComes);
      const build = (context: OperatorContext) =>
        new RunningTopOperator(context, {
          ...{ input, output: placedOutput, order, count, everyMs: 100 },
          ranks: { partition: ['word'], function: rank },
          isOfChanges: !onlyComes,
        });
      for (const mode of runModes) {
        const found = runOperator({ input, steps, build, expected: [] }, mode);
        expect(applied(found, 'kind'), mode.name).toEqual(sorted(placesOf(left, rank, count)));
      }
    }),
    { numRuns: 30 },
  );
});

test('many rows of many partitions, and of one', () => {
  const [mode] = runModes;
  for (const words of [1, 4_999]) {
    const rows = Array.from({ length: 20_000 }, (_, at): Row => {
      return { word: `word ${at % words} of many`, n: BigInt((at * 7_919) % 20_011) };
    });
    const steps = rows.map((row): Step => ({ row: { ...row, weight: 1n } }));
    const build = (context: OperatorContext) =>
      new RunningTopOperator(context, {
        ...{ input, output: placedOutput, order, count: 9_000, everyMs: 100, isOfChanges: true },
        ranks: { partition: ['word'], function: 'rowNumber' },
      });
    const found = runOperator({ input, steps, build, expected: [] }, mode as never);
    expect(applied(found, 'kind')).toEqual(sorted(placesOf(rows, 'rowNumber', 9_000)));
  }
});
