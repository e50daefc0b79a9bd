/**
 * Goal: joins of every type give the rows that comparing every row with every other gives, whichever side is
 * kept, whatever the keys are, with nulls, rows that repeat and conditions, in all ways a task may run them.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { HashJoinOperator } from '../../../engine/operators/hash-join-operator.ts';
import { joinTypes } from '../../../engine/plan/join-type.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  checkOperator,
  newContext,
  type RunMode,
  runModes,
  runOperator,
} from '../../support/operator-harness.ts';
import { textsOf } from '../../support/plan-runner.ts';
import { type JoinCase, joinCaseOf, joinCases } from './join-cases.ts';

function checkJoin(one: JoinCase, modes: readonly RunMode[] = runModes): void {
  const operatorCase = joinCaseOf(one);
  if (modes === runModes) {
    checkOperator(operatorCase);
    return;
  }
  for (const mode of modes) {
    const found = textsOf(runOperator(operatorCase, mode));
    expect(found, mode.name).toEqual(textsOf(operatorCase.expected));
  }
}

/** For many rows: whole batches, quick and slow. */
const wholeBatches = runModes.filter(({ batchRows }) => batchRows(() => 0) > 1);

test('joins give what comparing all rows gives', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(joinCases, (one) => checkJoin(one)),
    { numRuns: 250 },
  );
});

const numbers = (prefix: string, count: number, of: (row: number) => bigint | null) => ({
  schema: schemaOf(fieldOf(`${prefix}0`, int64Type, true), fieldOf(`${prefix}n`, int64Type)),
  rows: Array.from({ length: count }, (_, row) => ({
    [`${prefix}0`]: of(row),
    [`${prefix}n`]: BigInt(row),
  })),
});

test.each([
  ['inner', 'right', 5, 'pass'],
  ['left', 'right', 5, 'pass'],
  ['right', 'right', Number.NEGATIVE_INFINITY, 'hold'],
  ['semi', 'left', Number.NEGATIVE_INFINITY, 'hold'],
] as const)(
  'join of type %s whose %s side is built promises %s of 5',
  (type, buildSide, behind, idle) => {
    const sides = { left: numbers('l', 3, BigInt), right: numbers('r', 3, BigInt) };
    const one: JoinCase = { ...sides, type, buildSide, keys: [['l0', 'r0']], condition: null };
    const { buildSide: side, build } = joinCaseOf(one);
    const { context, scope, memory } = newContext('join');
    const operator = build(context) as HashJoinOperator;
    // Rows that come before the build side is complete wait for it.
    expect([operator.watermarkBehind(5), operator.idle()]).toEqual([
      Number.NEGATIVE_INFINITY,
      'hold',
    ]);
    const batch = batchOf(scope, side?.schema ?? one.right.schema, side?.rows ?? []);
    operator.build(batch, 0);
    batch.release();
    while (!operator.buildEnded());
    expect([operator.watermarkBehind(5), operator.idle()]).toEqual([behind, idle]);
    operator.close();
    memory.assertEmpty();
  },
);

test.each(joinTypes)('join of type %s with more rows than a batch has', (type) => {
  const left = numbers('l', 200, (row) => (row % 9 === 0 ? null : BigInt(row % 60)));
  const right = numbers('r', 17_000, (row) =>
    row % 7 === 0 ? null : BigInt(row % 8_500) - 8_400n,
  );
  for (const buildSide of ['left', 'right'] as const) {
    const keys = [['l0', 'r0']] as const;
    checkJoin({ type, buildSide, left, right, keys, condition: null }, wholeBatches);
  }
});

test('a chain longer than a batch goes on in the next call', () => {
  const left = numbers('l', 3, () => 5n);
  const right = numbers('r', 9_000, (row) => (row % 2 === 0 ? 5n : 6n));
  const keys = [['l0', 'r0']] as const;
  const one = { type: 'left', buildSide: 'right', left, right, keys, condition: null } as const;
  checkJoin(one, wholeBatches);
});

test('the memory of the build side is that of its rows, and goes with the last batch given out', () => {
  const { memory, context, scope } = newContext('join');
  const left = schemaOf(fieldOf('l0', utf8Type));
  const right = schemaOf(fieldOf('r0', utf8Type));
  const operator = new HashJoinOperator(context, {
    ...{ type: 'inner', buildSide: 'right', condition: null },
    ...{ probe: left, build: right, probeKeys: ['l0'], buildKeys: ['r0'], output: right },
  });
  const text = 'a text that is behind its view';
  const given: Batch[] = [];
  const batches = [right, left].map((schema) =>
    batchOf(scope, schema, [{ [schema.fields[0]?.name ?? '']: text }]),
  );
  operator.build(batches[0] as never, 0);
  while (!operator.buildEnded());
  operator.process(batches[1] as never, 0, { offer: (batch) => given.push(batch) > 0 });
  operator.close();
  for (const batch of batches) batch.release();
  const held = memory.usedBytes;
  expect(given.map((batch) => readRows(batch))).toEqual([[{ r0: text }]]);
  expect(held).toBeGreaterThan(0);
  for (const batch of given) batch.release();
  memory.assertEmpty();
});
