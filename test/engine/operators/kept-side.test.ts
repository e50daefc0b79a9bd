/**
 * Goal: joins whose one side has ended go on from a snapshot of it, at any parallelism, and what comes at that side again
 * counts for nothing; it is written once, and must fit.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HashJoinOperator } from '../../../engine/operators/hash-join-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import { AsOfProbeOperator } from '../../../engine/operators/stream-join/as-of-probe-operator.ts';
import { joinRowsOf } from '../../../engine/plan/join-type.ts';
import { int64Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchOf, CollectingOutbox, newContext, type Row } from '../../support/operator-harness.ts';
import {
  checkSnapshots,
  checkSnapshotsOnce,
  type SnapshotCase,
} from '../../support/snapshot-harness.ts';
import { shareOf } from '../../support/spill-space.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';
import { type JoinCase, joinCaseOf, joinCases } from './join-cases.ts';
import { asOfCases, asOfOptionsOf } from './stream-join/as-of-cases.ts';

function snapshotCaseOf(one: JoinCase, isBroadcast: boolean): SnapshotCase {
  const { input, rows = [], buildSide, options } = joinCaseOf(one);
  if (buildSide === undefined) throw new Error('a join has a build side');
  const { probeKeys, buildKeys } = options;
  return {
    ...{ input, rows },
    // Without keys, all in one task; where the kept side is everywhere, rows may go anywhere.
    keys: isBroadcast ? input.fields.map(({ name }) => name) : probeKeys,
    keptSide: { ...buildSide, keys: isBroadcast ? null : buildKeys },
    build: (context) =>
      new HashJoinOperator(context, { ...options, isBroadcast, isInCheckpoints: true }),
  };
}

const givesNothingAtTheEnd = ({ type, buildSide }: JoinCase) =>
  joinRowsOf(type, buildSide).build === 'none';

test('joins go on from snapshots of the side that they keep', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(
      joinCases.filter(givesNothingAtTheEnd),
      fc.boolean(),
      fc.integer({ min: 1, max: 1_000_000 }),
      (one, isBroadcast, seed) => checkSnapshotsOnce(snapshotCaseOf(one, isBroadcast), seed),
    ),
    { numRuns: 60 },
  );
});

const numbers = (prefix: string, count: number) => ({
  schema: schemaOf(fieldOf(`${prefix}0`, int64Type, true), fieldOf(`${prefix}n`, int64Type)),
  rows: Array.from({ length: count }, (_, row) => ({
    [`${prefix}0`]: row % 7 === 0 ? null : BigInt(row % 50),
    [`${prefix}n`]: BigInt(row),
  })),
});

const leftJoin: JoinCase = {
  ...{ left: numbers('l', 60), right: numbers('r', 40), type: 'left', buildSide: 'right' },
  ...{ keys: [['l0', 'r0']], condition: null },
};

test.each([true, false])('a join in all modes, its side broadcast: %s', (isBroadcast) => {
  checkSnapshots(snapshotCaseOf(leftJoin, isBroadcast));
});

test('as-of joins go on from snapshots of their versions', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(asOfCases, fc.integer({ min: 1, max: 1_000_000 }), (one, seed) => {
      const options = { ...asOfOptionsOf(one), isInCheckpoints: true };
      const { left, right } = options;
      const rows = one.steps.flatMap((step): Row[] => ('row' in step ? [step.row] : []));
      const versions = one.steps.flatMap((step): Row[] => ('right' in step ? [step.right] : []));
      const keptSide = { schema: right.schema, rows: versions, keys: right.keys };
      const build = (context: OperatorContext) => new AsOfProbeOperator(context, options);
      checkSnapshotsOnce({ input: left.schema, rows, keys: left.keys, keptSide, build }, seed);
    }),
    { numRuns: 40 },
  );
});

test('the side is handed out once, and named from then on', () => {
  const { context, scope, memory } = newContext('join');
  const { options, buildSide } = joinCaseOf(leftJoin);
  const operator = new HashJoinOperator(context, { ...options, isInCheckpoints: true });
  const batch = batchOf(scope, options.build, buildSide?.rows ?? []);
  operator.build(batch, 0);
  batch.release();
  while (!operator.buildEnded());
  const counts = [1, 2, 3].map((checkpointId) => {
    let count = 0;
    const written = checkpointId === 1 ? null : { checkpointId: 1, ...sizes };
    operator.snapshot(
      {
        ...{ checkpointId, note: () => undefined, written: () => written },
        rows: (_part, _schema, rows) => {
          for (let next = rows.next(); next !== null; next = rows.next()) {
            count += next.rowCount;
            next.release();
          }
          rows.close();
        },
      },
      new CollectingOutbox(false),
    );
    return count;
  });
  expect(counts).toEqual([40, 0, 0]);
  operator.close();
  memory.assertEmpty();
});

const sizes = { snapshotCount: 9, firstBytes: 10, addedBytes: 0 };

test('a side that does not fit is no side of a job with checkpoints', () => {
  const { context, scope, memory } = newContext('join');
  const { options } = joinCaseOf(leftJoin);
  const spill = { ...context.spill, share: shareOf(8 << 20) };
  const operator = new HashJoinOperator(
    { ...context, spill },
    { ...options, isInCheckpoints: true },
  );
  const batch = batchOf(scope, options.build, numbers('r', 8192).rows);
  const error = typedErrorOf(() => {
    for (let call = 0; call < 200; call++) operator.build(batch, 0);
  });
  expect(error?.info).toMatchObject({
    code: 'JOIN_STATE_TOO_LARGE',
    hint: expect.stringMatching(/--memory \d+MB/),
  });
  batch.release();
  operator.close();
  memory.assertEmpty();
});
