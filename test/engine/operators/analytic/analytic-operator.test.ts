/** Goal: analytic functions are those of the reference, whatever the batches, the frames and the memory. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AnalyticOperator,
  type AnalyticOptions,
} from '../../../../engine/operators/analytic/analytic-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import type { AnalyticColumn } from '../../../../engine/plan/analytic-functions.ts';
import { float64Type, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../../engine/schema/schema.ts';
import { ascending } from '../../../../engine/stream/row-order.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
  runModes,
  runOperator,
} from '../../../support/operator-harness.ts';
import { referenceAnalytic } from './analytic-reference.ts';

const decimalType = { kind: 'decimal', precision: 12, scale: 2 } as const;
const input = schemaOf(
  fieldOf('user', utf8Type, true),
  fieldOf('score', int64Type, true),
  fieldOf('text', utf8Type, true),
  fieldOf('half', float64Type, true),
  fieldOf('price', decimalType, true),
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
      half: fc.option(fc.integer({ min: -9, max: 9 }).map((half) => half / 2)),
      price: fc.option(fc.integer({ min: 1, max: 999 }).map((cents) => (cents / 100).toFixed(2))),
    }),
    { maxLength: 24 },
  )
  .map((rows): Row[] => rows.map((row, at) => ({ ...row, at })));

const frameOf = fc.constantFrom('rows', 'range', 'partition');
const rankOf = fc.record({
  kind: fc.constant('rank'),
  function: fc.constantFrom('rowNumber', 'rank', 'denseRank'),
});
const values = ['score', 'text', 'half', 'price', 'at'];
const shiftOf = fc.constantFrom(...values).chain((value) =>
  fc.record({
    kind: fc.constant('shift'),
    value: fc.constant(value),
    shift: fc.integer({ min: -4, max: 4 }).filter((shift) => shift !== 0),
    fallback: fc.option(fc.constant(value)),
  }),
);
const inFrameOf = frameOf.chain((frame) =>
  fc
    .oneof(
      fc.record({
        function: fc.constantFrom('count', 'min', 'max', 'first', 'last'),
        value: fc.constantFrom(...values),
      }),
      fc.record({
        function: fc.constantFrom('sum', 'avg'),
        value: fc.constantFrom('score', 'half', 'price'),
      }),
      fc.constant({ function: 'count', value: null }),
    )
    .map((one) => ({ kind: 'frame', frame, ...one })),
);
const functionsOf = fc
  .array(fc.oneof(rankOf, shiftOf, inFrameOf), { minLength: 1, maxLength: 6 })
  .map((all) => all.map((one, at) => ({ name: `f${at}`, ...one }) as AnalyticColumn));

function outputOf(functions: readonly AnalyticColumn[]): Schema {
  const typeOf = (name: string) => input.fields.find((field) => field.name === name)?.type;
  const fields = functions.map((one) => {
    if (one.kind === 'rank') return fieldOf(one.name, int64Type);
    if (one.kind === 'frame' && one.function === 'count') return fieldOf(one.name, int64Type);
    if (one.kind === 'frame' && one.function === 'avg') return fieldOf(one.name, float64Type, true);
    const isSum = one.kind === 'frame' && one.function === 'sum' && one.value === 'price';
    const type = isSum ? { ...decimalType, precision: 38 } : typeOf(one.value ?? '');
    return fieldOf(one.name, type ?? int64Type, true);
  });
  return { fields: [...input.fields.filter(({ name }) => name !== 'price'), ...fields] };
}

const orderOf = fc.subarray([
  { column: 'score', isDescending: true, areNullsFirst: true },
  ascending('half'),
]);

test('any functions over any rows', () => {
  const cases = fc.record({
    partition: fc.subarray(['user', 'text']),
    order: orderOf,
    functions: functionsOf,
    rows: rowsOf,
  });
  const sorted = cases.filter(({ partition, order }) => partition.length + order.length > 0);
  fc.assert(
    fc.property(sorted, ({ rows, ...rest }) => {
      const options: AnalyticOptions = { input, output: outputOf(rest.functions), ...rest };
      checkOperator({
        input,
        rows,
        expected: referenceAnalytic(rows, options),
        build: (context) => new AnalyticOperator(context, options),
      });
    }),
    { numRuns: 100 },
  );
});

/** Functions of all kinds over long texts. */
const allFunctions: readonly AnalyticColumn[] = [
  { name: 'place', kind: 'rank', function: 'rowNumber' },
  { name: 'before', kind: 'shift', value: 'at', shift: -20, fallback: null },
  { name: 'after', kind: 'shift', value: 'at', shift: 3, fallback: 'at' },
  { name: 'soFar', kind: 'frame', function: 'sum', value: 'score', frame: 'range' },
  { name: 'all', kind: 'frame', function: 'sum', value: 'score', frame: 'partition' },
  { name: 'last', kind: 'frame', function: 'last', value: 'at', frame: 'partition' },
  { name: 'rows', kind: 'frame', function: 'count', value: null, frame: 'rows' },
];

test.each([1, 3, 400])('more rows than memory holds, in %i partitions', (partitions) => {
  const rows = Array.from({ length: 3_000 }, (_, at): Row => {
    const user = `user ${at % partitions}`.padEnd(4_000, '.');
    return { user, score: BigInt((at * 7_919) % 50), at, text: null, half: null, price: null };
  });
  const order = [ascending('score')];
  const functions = allFunctions;
  const options = { input, partition: ['user'], order, functions, output: outputOf(functions) };
  const build = (context: OperatorContext) => new AnalyticOperator(context, options);
  for (const mode of runModes.slice(-2)) {
    const shareBytes = 7 << 20;
    const found = runOperator(
      { input, rows, build, expected: [], shareBytes },
      { ...mode, batchRows: () => 40 },
    );
    expect(found.map(({ user, ...row }) => row)).toEqual(expectedOf(rows));
  }
});

/** What `allFunctions` give, in one pass: the reference takes the square of the rows. */
function expectedOf(rows: readonly Row[]): Row[] {
  const users = [...new Set(rows.map(({ user }) => user as string))].sort();
  return users.flatMap((user) => {
    const own = rows.filter((row) => row.user === user);
    own.sort((a, b) => Number((a.score as bigint) - (b.score as bigint)));
    let sum = 0n;
    const sums = new Map<unknown, bigint>();
    for (const { score } of own) {
      sum += score as bigint;
      sums.set(score, sum);
    }
    return own.map(({ score, at }, place) => ({
      ...{ score, at, text: null, half: null, place: BigInt(place + 1) },
      before: place < 20 ? null : own[place - 20]?.at,
      after: own[place + 3]?.at ?? at,
      soFar: sums.get(score),
      ...{ all: sum, last: own.at(-1)?.at, rows: BigInt(place + 1) },
    }));
  });
}

test('a sum that does not fit names its column, also when sums are merged', () => {
  const rows = [1n, 2n].map((score, at) => ({
    ...nothing,
    score: 2n ** 63n - 2n + score - 1n,
    at,
  }));
  for (const frame of ['rows', 'range', 'partition'] as const) {
    const functions = [
      { name: 'total', kind: 'frame', function: 'sum', value: 'score', frame } as const,
    ];
    const options = { input, partition: [], order: [ascending('score')], functions };
    const build = (context: OperatorContext) =>
      new AnalyticOperator(context, { ...options, output: outputOf(functions) });
    const run = () => runOperator({ input, rows, build, expected: [] }, runModes[0] as never);
    expect(run).toThrow('sum "total" of operator "tested" does not fit an int64');
  }
});

const nothing = { user: null, text: null, half: null, price: null };

test('a lag over more rows than fit says how much memory would do', () => {
  const functions = [
    { name: 'before', kind: 'shift', value: 'text', shift: -2_000_000, fallback: null } as const,
  ];
  const options = { input, partition: [], order: [ascending('score')], functions };
  const { context, memory } = newContext('tested');
  const operator = new AnalyticOperator(context, { ...options, output: outputOf(functions) });
  const rows = Array.from({ length: 8192 }, (_, at) => {
    return { ...nothing, score: BigInt(at), at, text: 'a long text, as long as that' };
  });
  const batch = batchOf(memory.scope('input'), input, rows);
  for (let count = 0; count < 100; count++) feed(operator, batch, new CollectingOutbox());
  batch.release();
  const finish = () => {
    while (!operator.finish(new CollectingOutbox()));
  };
  expect(finish).toThrow(
    /"tested" needs .* of memory for the rows of lag and lead, and has 48.0 MB/,
  );
  operator.close();
  memory.assertEmpty();
});
