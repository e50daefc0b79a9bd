/** Goal: all rows among the first of their partition come through, few others, and memory is bounded. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  PartitionTopOperator,
  type PartitionTopOptions,
} from '../../../../engine/operators/analytic/partition-top-operator.ts';
import type { RankFunction } from '../../../../engine/plan/analytic-functions.ts';
import { float64Type, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { ascending } from '../../../../engine/stream/row-order.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
} from '../../../support/operator-harness.ts';
import { spillSpace } from '../../../support/spill-space.ts';
import { referenceAnalytic } from './analytic-reference.ts';

const schema = schemaOf(
  fieldOf('user', utf8Type, true),
  fieldOf('score', int64Type, true),
  fieldOf('text', utf8Type, true),
  fieldOf('at', float64Type),
);
const someText = fc.string({
  unit: fc.constantFrom('a', 'b', ' the same long text '),
  maxLength: 2,
});
const rowsOf = fc
  .array(
    fc.record({
      user: fc.option(someText),
      score: fc.option(fc.bigInt({ min: -2n, max: 2n })),
      text: fc.option(someText),
    }),
    { maxLength: 30 },
  )
  .map((rows): Row[] => rows.map((row, at) => ({ ...row, at })));
const ranks = fc.constantFrom<RankFunction>('rowNumber', 'rank', 'denseRank');
const orders = fc.subarray([
  { column: 'score', isDescending: true, areNullsFirst: true },
  ascending('text'),
]);
const choices = fc.record({
  partition: fc.subarray(['user', 'text']),
  order: orders,
  function: ranks,
  count: fc.integer({ min: 1, max: 4 }),
});
const sortedChoices = choices.filter(({ partition, order }) => partition.length + order.length > 0);

type Choice = Omit<PartitionTopOptions, 'schema' | 'roundRows'>;

/** The wanted rows of the reference, by partition and order. */
function wantedOf(rows: readonly Row[], { partition, order, ...choice }: Choice): Row[] {
  const functions = [{ name: 'place', kind: 'rank', function: choice.function } as const];
  const output = schemaOf(...schema.fields, fieldOf('place', int64Type));
  return referenceAnalytic(rows, { input: schema, output, partition, order, functions })
    .filter(({ place }) => (place as bigint) <= BigInt(choice.count))
    .map(({ place, ...row }) => row);
}

test('the first rows of partitions, by any rank, in rounds of any size', () => {
  const first = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(rowsOf, sortedChoices, first, (rows, choice, firstRows) => {
      const roundRows = { first: firstRows, most: 1 << 20 };
      checkOperator({
        input: schema,
        rows,
        expected: wantedOf(rows, choice),
        build: (context) => new PartitionTopOperator(context, { schema, ...choice, roundRows }),
      });
    }),
    { numRuns: 60 },
  );
});

interface Run {
  readonly rows: readonly Row[];
  readonly batchRows: number;
  readonly choice: Choice;
  readonly roundRows?: PartitionTopOptions['roundRows'];
  readonly shareBytes?: number;
}

/** A memory for all runs: each leaves it empty. */
const { context, memory, scope } = newContext('tested');

/** What comes out, and the most bytes that were held beside the input. */
function run({ rows, batchRows, choice, roundRows, shareBytes }: Run) {
  const options = { schema, ...choice, ...(roundRows !== undefined && { roundRows }) };
  const operator = new PartitionTopOperator({ ...context, spill: spillSpace(shareBytes) }, options);
  const outbox = new CollectingOutbox();
  let heldMax = 0;
  for (let start = 0; start < rows.length; start += batchRows) {
    const batch = batchOf(memory.scope('input'), schema, rows.slice(start, start + batchRows));
    feed(operator, batch, outbox);
    batch.release();
    heldMax = Math.max(heldMax, scope.memory.usedBytes);
  }
  const givenEarly = outbox.rows.length;
  while (!operator.finish(outbox));
  operator.close();
  memory.assertEmpty();
  return { found: outbox.rows, givenEarly, heldMax };
}

test('whatever comes early, no wanted row is lost and none comes twice', () => {
  const small = fc.record({
    roundRows: fc.record({
      first: fc.integer({ min: 1, max: 8 }),
      most: fc.integer({ min: 1, max: 12 }),
    }),
    batchRows: fc.integer({ min: 1, max: 9 }),
  });
  let early = 0;
  fc.assert(
    fc.property(rowsOf, sortedChoices, small, (rows, choice, sizes) => {
      const { found, givenEarly } = run({ rows, choice, ...sizes });
      if (givenEarly > 0) early++;
      expect(new Set(found.map(({ at }) => at)).size).toBe(found.length);
      // Behind it the rank is asked for again. Rows of equal order may have changed places with others that stay.
      const byPlace = [...found].sort((a, b) => Number(a.at) - Number(b.at));
      expect(wantedOf(byPlace, choice)).toEqual(wantedOf(rows, choice));
    }),
    { numRuns: 300 },
  );
  expect(early).toBeGreaterThan(20);
});

const few: Choice = {
  partition: ['user'],
  order: [ascending('score')],
  function: 'rowNumber',
  count: 3,
};

/** Long texts, so that rows are what memory is needed for. */
function manyRows(count: number, partitions: number): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    user: `user ${at % partitions}`,
    score: BigInt((at * 7_919) % 104_729),
    text: 'a long text'.padEnd(500, '.'),
    at,
  }));
}

test('memory is bounded by the rows that are wanted, not by those that come', () => {
  const rows = manyRows(40_000, 10);
  const roundRows = { first: 2048, most: 1 << 20 };
  const { found, givenEarly, heldMax } = run({ rows, batchRows: 1000, choice: few, roundRows });
  expect(givenEarly).toBe(0);
  expect(found).toHaveLength(30);
  // Four thousand rows of half a KB, and what sorting takes; all of them would be 20 MB.
  expect(heldMax).toBeLessThan(6 << 20);
});

test('where wanted rows do not fit in its part of the share, they are given out early', () => {
  const rows = manyRows(30_000, 5_000);
  const { found, givenEarly, heldMax } = run({
    ...{ rows, batchRows: 1000, choice: few },
    shareBytes: 8 << 20,
  });
  expect(givenEarly).toBeGreaterThan(0);
  expect(heldMax).toBeLessThan(9 << 20);
  const byPlace = [...found].sort((a, b) => Number(a.at) - Number(b.at));
  const places = new Map<unknown, Row[]>();
  for (const row of byPlace) places.set(row.user, [...(places.get(row.user) ?? []), row]);
  for (const own of places.values()) {
    own.sort(
      (a, b) => Number((a.score as bigint) - (b.score as bigint)) || Number(a.at) - Number(b.at),
    );
  }
  const firsts = [...places.values()].flatMap((own) => own.slice(0, few.count));
  expect(places.size).toBe(5_000);
  const all = new Map<unknown, Row[]>();
  for (const row of rows) all.set(row.user, [...(all.get(row.user) ?? []), row]);
  const expected = [...all.values()].flatMap((own) =>
    own
      .sort(
        (a, b) => Number((a.score as bigint) - (b.score as bigint)) || Number(a.at) - Number(b.at),
      )
      .slice(0, few.count),
  );
  const atOf = (some: readonly Row[]) => some.map(({ at }) => Number(at)).sort((a, b) => a - b);
  expect(atOf(firsts)).toEqual(atOf(expected));
});

test('where nearly all rows are wanted, they are passed on as they come', () => {
  const rows = manyRows(6_000, 6_000);
  const roundRows = { first: 512, most: 1024 };
  const { found, givenEarly } = run({ rows, batchRows: 100, choice: few, roundRows });
  expect(found.map(({ at }) => at).slice(-4_000)).toEqual(rows.map(({ at }) => at).slice(-4_000));
  expect(found).toHaveLength(rows.length);
  expect(givenEarly).toBe(rows.length);
});
