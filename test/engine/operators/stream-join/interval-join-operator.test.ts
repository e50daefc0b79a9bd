/**
 * Goal: interval joins of every type give what comparing every row with every other gives, whatever turn rows and
 * watermarks come in; they promise no more of event time than they keep; what is past is not held.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IntervalJoinOperator } from '../../../../engine/operators/stream-join/interval-join-operator.ts';
import { joinTypes } from '../../../../engine/plan/join-type.ts';
import {
  batchOf,
  checkOperator,
  feed,
  newContext,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { checkSnapshots, checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { shareOf } from '../../../support/spill-space.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';
import {
  expectedRows,
  type IntervalCase,
  intervalCases,
  operatorCaseOf,
  optionsOf,
} from './interval-join-cases.ts';

test('interval joins give what comparing all rows gives', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(intervalCases, (one) => {
      const expectedNoted = { late: expectedRows(one).lateCount };
      checkOperator({ ...operatorCaseOf(one), expectedNoted });
    }),
    { numRuns: 60 },
  );
});

test('no row is older than what was promised before it', { timeout: 120_000 }, () => {
  const msOf = (time: unknown, unit: 'ms' | 'us') =>
    typeof time === 'bigint' ? Number(time) / (unit === 'us' ? 1000 : 1) : null;
  fc.assert(
    fc.property(intervalCases, (one) => {
      const found = runOperator({ ...operatorCaseOf(one), hasMarks: true }, runModes[2] as never);
      let promised = Number.NEGATIVE_INFINITY;
      for (const row of found) {
        if ('watermark' in row) {
          promised = Math.max(promised, row.watermark as number);
          continue;
        }
        for (const time of [msOf(row.lt, one.units.left), msOf(row.rt, one.units.right)]) {
          if (time !== null) expect(time).toBeGreaterThanOrEqual(promised);
        }
      }
    }),
    { numRuns: 100 },
  );
});

const plain: IntervalCase = {
  type: 'inner',
  keys: [{ index: 0, isNullable: { left: false, right: false } }],
  units: { left: 'ms', right: 'ms' },
  ...{ beforeMs: 10, afterMs: 10, lagMs: 0, sliceMs: 10, condition: 'none', steps: [] },
};
const rowOf = (prefix: 'l' | 'r', at: number, key: bigint): Row => ({
  [`${prefix}t`]: BigInt(at),
  [`${prefix}0`]: key,
  [`${prefix}n`]: 1,
  [`${prefix}text`]: 'a text that is behind its view',
});

test.each(joinTypes)(
  'join of type %s with more rows than a batch has',
  { timeout: 60_000 },
  (type) => {
    const many = (prefix: 'l' | 'r', count: number) =>
      Array.from({ length: count }, (_, at) => rowOf(prefix, Math.floor(at / 9), BigInt(at % 80)));
    const steps: Step[] = [
      ...many('l', 900).map((row) => ({ row })),
      { watermark: 300 },
      ...many('r', 9_000).map((right) => ({ right })),
      { watermark: 1_000 },
      ...many('l', 1_500).map((row) => ({ row })),
    ];
    const one = { ...plain, type, steps };
    const operatorCase = operatorCaseOf(one);
    for (const mode of [runModes[0], runModes[7]]) {
      const found = runOperator(operatorCase, mode as never);
      const texts = (rows: readonly Row[]) =>
        rows.map((row) => [row.lt, row.l0, row.rt, row.r0].map(String).join()).sort();
      expect(texts(found)).toEqual(texts(operatorCase.expected));
    }
  },
);

test('rows of which nothing can come any more are not held', () => {
  const { memory, context, scope } = newContext('join');
  const { left, right } = optionsOf(plain);
  const operator = new IntervalJoinOperator(context, optionsOf(plain));
  const outbox = { offer: (batch: { release(): void }) => batch.release() === undefined };
  const held: number[] = [];
  for (let round = 0; round < 12; round++) {
    for (const [prefix, schema] of [
      ['l', left.schema],
      ['r', right.schema],
    ] as const) {
      const rows = Array.from({ length: 500 }, (_, at) =>
        rowOf(prefix, round * 100 + (at % 100), BigInt(at)),
      );
      const batch = batchOf(scope, schema, rows);
      if (prefix === 'l') feed(operator, batch, outbox);
      else expect(operator.processRight(batch, 0, outbox)).toBe(500);
      batch.release();
    }
    expect(operator.advance(round * 100 + 100, outbox)).toBe(true);
    held.push(memory.usedBytes);
  }
  expect(Math.max(...held.slice(5))).toBeLessThanOrEqual(Math.max(...held.slice(0, 5)));
  operator.close();
  memory.assertEmpty();
});

test('more rows than the share holds end with an error that says so', () => {
  const { context, scope, memory } = newContext('pairs of bids');
  const spill = { ...context.spill, share: shareOf(2 << 20) };
  const operator = new IntervalJoinOperator({ ...context, spill }, optionsOf(plain));
  const batch = batchOf(
    scope,
    optionsOf(plain).left.schema,
    Array.from({ length: 8192 }, (_, at) => rowOf('l', at, 1n)),
  );
  const error = typedErrorOf(() => {
    for (let call = 0; call < 50; call++) feed(operator, batch, { offer: () => true });
  });
  expect(error?.info.code).toBe('JOIN_STATE_TOO_LARGE');
  expect(error?.message).toContain('"pairs of bids"');
  batch.release();
  operator.close();
  memory.assertEmpty();
});

test('rows that wait for partners go on in other tasks, whatever comes', () => {
  fc.assert(
    fc.property(intervalCases, fc.integer({ min: 1, max: 1_000_000 }), (one, seed) => {
      const { left, right } = optionsOf(one);
      const { expected: _, ...given } = operatorCaseOf(one);
      checkSnapshotsOnce({ ...given, keys: left.keys, rightKeys: right.keys }, seed);
    }),
    { numRuns: 60 },
  );
});

test.each(joinTypes)(
  'rows that are far between come by themselves when their own time is over: %s',
  (type) => {
    // The last row of each makes slices of all of them longer: those in front of it are kept in one.
    const far = (prefix: 'l' | 'r', side: 'row' | 'right', key: bigint) =>
      [0, 1, 2, 4, 7, 7, 60].map((at): Step => {
        const row = rowOf(prefix, at, at === 4 ? 9n : key);
        return (side === 'row' ? { row } : { right: row }) as Step;
      });
    const marks = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at): Step => ({ watermark: from + at }));
    const steps = [
      ...[...far('l', 'row', 1n), ...marks(-3, 0)],
      ...[...far('r', 'right', 2n), ...marks(0, 4)],
      ...[{ right: rowOf('r', 6, 1n) }, ...marks(4, 80)],
    ];
    const times = { beforeMs: 1, afterMs: 2, sliceMs: 1 };
    const one = { ...plain, ...times, type, steps };
    const { left, right } = optionsOf(one);
    checkSnapshots({ ...operatorCaseOf(one), keys: left.keys, rightKeys: right.keys });
  },
);
