/**
 * Goal: each row comes out beside the last version of its key at its time or before, whatever turn rows and
 * watermarks come in, the same one whatever the order of versions; what nobody can find any more is not held.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AsOfJoinOperator } from '../../../../engine/operators/stream-join/as-of-join-operator.ts';
import {
  batchOf,
  checkOperator,
  feed,
  newContext,
  type OperatorCase,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { shareOf } from '../../../support/spill-space.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';
import { type AsOfCase, asOfCases, asOfOptionsOf, expectVersions } from './as-of-cases.ts';
import { keptRows } from './interval-join-cases.ts';

function caseOf(one: AsOfCase, operators: AsOfJoinOperator[] = []): OperatorCase {
  const options = asOfOptionsOf(one);
  return {
    input: options.left.schema,
    rightInput: options.right.schema,
    steps: one.steps,
    isOrdered: false,
    build: (context) => {
      const operator = new AsOfJoinOperator(context, options);
      operators.push(operator);
      return operator;
    },
    expected: [],
  };
}

test('rows come beside the last version of their key', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(asOfCases, (one) => {
      const operatorCase = caseOf(one);
      const expected = runOperator(operatorCase, runModes[0] as never);
      expectVersions(one, expected);
      const expectedNoted = { late: keptRows(one).lateCount };
      checkOperator({ ...operatorCase, expected, expectedNoted });
    }),
    { numRuns: 40 },
  );
});

test('versions in another order give the same rows', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(asOfCases, (one) => {
      // All versions in front, in either order, without marks: none is late.
      const versions = one.steps.filter((step) => 'right' in step);
      const rows = one.steps.filter((step) => 'row' in step);
      const [first, second] = [versions, versions.toReversed()].map((given) =>
        runOperator(caseOf({ ...one, steps: [...given, ...rows] }), runModes[0] as never),
      );
      const texts = (found: readonly Row[] = []) =>
        found.map((row) => Object.values(row).join()).sort();
      expect(texts(first)).toEqual(texts(second));
    }),
    { numRuns: 60 },
  );
});

test('rows go out before a watermark that is past them', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(asOfCases, (one) => {
      let promised = Number.NEGATIVE_INFINITY;
      for (const row of runOperator({ ...caseOf(one), hasMarks: true }, runModes[2] as never)) {
        if ('watermark' in row) promised = row.watermark as number;
        else if (row.lt !== null) {
          const time = Number(row.lt) / (one.units.left === 'us' ? 1000 : 1);
          expect(time).toBeGreaterThanOrEqual(promised);
        }
      }
    }),
    { numRuns: 60 },
  );
});

const plain: AsOfCase = {
  ...{ type: 'left', toleranceMs: null, steps: [] },
  keys: [{ index: 0, isNullable: { left: false, right: false } }],
  units: { left: 'ms', right: 'ms' },
  ...{ beforeMs: 0, afterMs: 0, lagMs: 0, sliceMs: 1, condition: 'none' },
};
const rowOf = (prefix: 'l' | 'r', at: number, key: bigint): Row => ({
  [`${prefix}t`]: BigInt(at),
  [`${prefix}0`]: key,
  [`${prefix}n`]: at % 7,
  [`${prefix}text`]: `a text that is behind its view ${at}`,
});

test('versions are dropped while rows wait, and rows find theirs', { timeout: 60_000 }, () => {
  // More versions than are held without looking for some to drop, several times over.
  const steps: Step[] = [];
  for (let at = 0; at < 70_000; at++) {
    steps.push({ right: rowOf('r', at, BigInt(at % 50)) });
    if (at % 100 === 0) steps.push({ row: rowOf('l', at - 30, BigInt((at * 7) % 53)) });
    if (at % 5000 === 4999) steps.push({ watermark: at - 100 });
  }
  const one = { ...plain, steps };
  const found = runOperator(caseOf(one), runModes[0] as never);
  expect(found).toHaveLength(700);
  for (const { lt, l0, rt, rtext } of found) {
    const [time, key] = [Number(lt), Number(l0)];
    const version = time - ((((time - key) % 50) + 50) % 50);
    const isThere = key < 50 && version >= 0;
    expect(rt).toBe(isThere ? BigInt(version) : null);
    expect(rtext).toBe(isThere ? `a text that is behind its view ${version}` : null);
  }
});

test('versions that nobody can find any more, and keys without one, are not held', () => {
  const options = asOfOptionsOf({ ...plain, toleranceMs: 1000 });
  const { memory, context, scope } = newContext('join');
  const operator = new AsOfJoinOperator(context, options);
  const outbox = { offer: (batch: { release(): void }) => batch.release() === undefined };
  const held: number[] = [];
  for (let round = 0; round < 40; round++) {
    for (const [prefix, schema] of [
      ['l', options.left.schema],
      ['r', options.right.schema],
    ] as const) {
      // Keys of either side are new in each round.
      const rows = Array.from({ length: 3000 }, (_, at) =>
        rowOf(
          prefix,
          round * 1000 + (at % 1000),
          BigInt(round * 6000 + at * 2 + Number(prefix === 'l')),
        ),
      );
      const batch = batchOf(scope, schema, rows);
      if (prefix === 'l') feed(operator, batch, outbox);
      else expect(operator.processRight(batch)).toBe(3000);
      batch.release();
    }
    while (!operator.advance(round * 1000 + 1000, outbox));
    held.push(memory.usedBytes);
  }
  expect(Math.max(...held.slice(20))).toBeLessThanOrEqual(Math.max(...held.slice(0, 20)));
  expect(operator.inspect()).toMatchObject({ waitingRows: 0, oldestWaitingMs: null });
  operator.close();
  memory.assertEmpty();
});

test('more rows than the share holds end with an error that says so', () => {
  const { context, scope, memory } = newContext('rates');
  const spill = { ...context.spill, share: shareOf(2 << 20) };
  const options = asOfOptionsOf(plain);
  const operator = new AsOfJoinOperator({ ...context, spill }, options);
  const rows = Array.from({ length: 8192 }, (_, at) => rowOf('r', at, 1n));
  const batch = batchOf(scope, options.right.schema, rows);
  const error = typedErrorOf(() => {
    for (let call = 0; call < 50; call++) operator.processRight(batch);
  });
  expect(error?.info.code).toBe('JOIN_STATE_TOO_LARGE');
  expect(error?.message).toContain('"rates"');
  batch.release();
  operator.close();
  memory.assertEmpty();
});

test('rows that wait and versions go on in other tasks, whatever comes', () => {
  fc.assert(
    fc.property(asOfCases, fc.integer({ min: 1, max: 1_000_000 }), (one, seed) => {
      const { left, right } = asOfOptionsOf(one);
      const { expected: _, ...given } = caseOf(one);
      checkSnapshotsOnce({ ...given, keys: left.keys, rightKeys: right.keys }, seed);
    }),
    { numRuns: 40 },
  );
});
